// Package services starts what tests need of the world outside: a PostgreSQL and an S3 server, real ones, each in a temporary
// folder and on a port of its own. It is for tests alone.
//
//	func TestMain(m *testing.M) { services.Main(m) }
//
//	func TestMeta(t *testing.T) { dsn := services.Postgres(t).Schema(t) … }
//
// Each is started when the first test of a program asks for it, and ended by Main. A test that stops one has one of its own,
// by StartPostgres or StartS3.
//
// PostgreSQL is Debian's package. The S3 server is versitygw over a folder; it is built from the module in testdata, which pins
// it with its sums and keeps its dependencies out of ours, and kept in the user's cache. Where one of them is missing, tests are
// skipped; but not where CI says that this machine is there to run all of them.
package services

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a service may take to start or stop.
const patience = 60 * time.Second

// shared are the services that the tests of this program share.
var shared struct {
	sync.Mutex
	postgres *PostgreSQL
	s3       *S3Server
	err      map[string]error // of what could not be started: it is not tried again
}

// Main runs the tests and ends what they have started. It does not return.
func Main(m *testing.M) {
	code := m.Run()
	End()
	os.Exit(code)
}

// End ends the shared services, for a TestMain that has more to do.
func End() {
	shared.Lock()
	defer shared.Unlock()
	if shared.postgres != nil {
		shared.postgres.end()
	}
	if shared.s3 != nil {
		shared.s3.end()
	}
	shared.postgres, shared.s3 = nil, nil
}

// Postgres returns the shared PostgreSQL.
func Postgres(t testing.TB) *PostgreSQL {
	t.Helper()
	return share(t, "PostgreSQL", &shared.postgres, newPostgres)
}

// StartPostgres returns a PostgreSQL of the test's own, which it may stop.
func StartPostgres(t testing.TB) *PostgreSQL {
	t.Helper()
	return own(t, "PostgreSQL", newPostgres)
}

// S3 returns the shared S3 server.
func S3(t testing.TB) *S3Server {
	t.Helper()
	return share(t, "S3", &shared.s3, newS3)
}

// StartS3 returns an S3 server of the test's own, which it may stop.
func StartS3(t testing.TB) *S3Server {
	t.Helper()
	return own(t, "S3", newS3)
}

func share[S any](t testing.TB, name string, place **S, start func() (*S, error)) *S {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if *place == nil && shared.err[name] == nil {
		var err error
		if *place, err = start(); err != nil {
			*place = nil
			if shared.err == nil {
				shared.err = map[string]error{}
			}
			shared.err[name] = err
		}
	}
	if err := shared.err[name]; err != nil {
		missing(t, name, err)
	}
	return *place
}

func own[S any, P interface {
	*S
	end()
}](t testing.TB, name string, start func() (*S, error)) *S {
	t.Helper()
	s, err := start()
	if err != nil {
		missing(t, name, err)
	}
	t.Cleanup(P(s).end)
	return s
}

// missing skips a test, or fails it where that must not be.
func missing(t testing.TB, name string, err error) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("failed to start %s: %v", name, err)
	}
	t.Skipf("no %s: %v", name, err)
}

// process is a server program that runs, or is stopped for now. It dies with the test.
type process struct {
	name    string
	dir     string // its own, removed at the end
	command func() *exec.Cmd
	ready   func() bool
	stop    syscall.Signal // to end in order
	crash   syscall.Signal // to end at once, as if the power had failed

	cmd    *exec.Cmd
	exited chan error
}

// start runs the program and waits until it is ready.
func (p *process) start() error {
	cmd := p.command()
	log, err := os.OpenFile(p.dir+"/log", os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return err
	}
	p.cmd, p.exited = cmd, make(chan error, 1)
	go func() { p.exited <- cmd.Wait() }()
	for began := time.Now(); time.Since(began) < patience; time.Sleep(20 * time.Millisecond) {
		select {
		case err := <-p.exited:
			p.cmd = nil
			text, _ := os.ReadFile(p.dir + "/log")
			return fmt.Errorf("%s ended, %v:\n%s", p.name, err, text)
		default:
		}
		if p.ready() {
			return nil
		}
	}
	p.Kill()
	return fmt.Errorf("%s does not answer", p.name)
}

// signal ends the program, and waits until it has ended.
func (p *process) signal(s syscall.Signal) {
	if p.cmd == nil {
		return
	}
	p.cmd.Process.Signal(s)
	select {
	case <-p.exited:
	case <-time.After(patience):
		p.cmd.Process.Kill()
		<-p.exited
	}
	p.cmd = nil
}

// Stop ends the service; what it has acknowledged stays.
func (p *process) Stop() { p.signal(p.stop) }

// Kill ends the service in the midst of whatever it does.
func (p *process) Kill() { p.signal(p.crash) }

// Start starts a stopped service again, at the same address.
func (p *process) Start(t testing.TB) {
	t.Helper()
	if err := p.start(); err != nil {
		t.Fatal(err)
	}
}

func (p *process) end() {
	p.Stop()
	os.RemoveAll(p.dir)
}

// freePort returns a port of this machine that nobody listens on at the moment.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port), nil
}
