package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"time"

	"github.com/sealpost/sealpost/wasm/e2e/webdriver"
)

// An app is a server with a page of the hooks that Sealpost's has.
type app struct {
	name    string
	command func(data string) *exec.Cmd
	args    []string // for the browser
}

// floorApp runs this very program.
var floorApp = app{name: "floor", command: func(data string) *exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return exec.Command(self, "floor", data)
}}

// sealpost builds sealpostd and returns it as an app.
func sealpost(dir string) (app, error) {
	program := filepath.Join(dir, "sealpostd")
	const source = "github.com/sealpost/sealpost/server/cmd/sealpostd"
	if out, err := exec.Command("go", "build", "-o", program, source).CombinedOutput(); err != nil {
		return app{}, fmt.Errorf("failed to build sealpostd: %w\n%s", err, out)
	}
	return app{name: "sealpost", command: func(data string) *exec.Cmd {
		return exec.Command(program, "-listen", "127.0.0.1:0", "-data", data, "-create-rate", "0", "-take-rate", "0", "-miss-rate", "0")
	}}, nil
}

// A server is an app that runs.
type server struct {
	cmd  *exec.Cmd
	addr string
	data string // its folder, which goes with it
}

var listening = regexp.MustCompile(`listening on http://(\S+)`)

// start runs the app with a new folder in dir.
func (a app) start(dir string) (*server, error) {
	data, err := os.MkdirTemp(dir, a.name+"-")
	if err != nil {
		return nil, err
	}
	s := &server{cmd: a.command(data), data: data}
	pipe, err := s.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := webdriver.StartCommand(s.cmd); err != nil {
		return nil, fmt.Errorf("failed to start %s: %w", a.name, err)
	}
	hung := time.AfterFunc(20*time.Second, func() { s.cmd.Process.Kill() })
	defer hung.Stop()
	said := ""
	for lines := bufio.NewScanner(pipe); lines.Scan(); said += lines.Text() + "\n" {
		if m := listening.FindStringSubmatch(lines.Text()); m != nil {
			s.addr = m[1]
			go io.Copy(io.Discard, pipe)
			return s, nil
		}
	}
	s.stop()
	return nil, fmt.Errorf("failed to start %s: it said:\n%s", a.name, said)
}

// stop ends the server and removes what it stored.
func (s *server) stop() {
	s.cmd.Process.Signal(syscall.SIGTERM)
	hung := time.AfterFunc(20*time.Second, func() { s.cmd.Process.Kill() })
	s.cmd.Wait()
	hung.Stop()
	os.RemoveAll(s.data)
}
