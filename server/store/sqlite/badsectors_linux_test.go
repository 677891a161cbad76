package sqlite_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server/store"
	"github.com/sealpost/sealpost/server/store/sqlite"
	"github.com/sealpost/sealpost/server/store/storetest"
)

// TestBadSectors: a commit that cannot be written is refused, and so is every one after it, until the disk can be written again and another
// process opens the file. When the power fails then, what was acknowledged is there.
func TestBadSectors(t *testing.T) {
	k := storetest.NewBadSectors(t)
	path := filepath.Join(k.Dir, "meta.db")
	acknowledged, n := 0, 0
	create := func(p *process, times int) (refused int) {
		t.Helper()
		p.ask(t, fmt.Sprintln("create", n, times), "refused %d", &refused)
		return refused
	}
	for range 5 {
		p := newProcess(t, path)
		if refused := create(p, 5); refused > 0 {
			t.Fatalf("%d were refused", refused)
		}
		n += 5
		k.From(t, 0)
		if refused := create(p, 3); refused != 3 {
			t.Errorf("%d of 3 were refused on bad sectors", refused)
		}
		k.Sound(t)
		var patience time.Duration
		p.ask(t, "wait\n", "mended after %d", &patience) // and is not ready any more
		if refused := create(p, 3); refused != 3 {
			t.Errorf("%d of 3 were refused after bad sectors", refused)
		}
		p.kill()
	}
	p := newProcess(t, path)
	acknowledged = n
	if refused := create(p, 50); refused > 0 {
		t.Fatalf("%d were refused", refused)
	}
	acknowledged += 50
	k.PowerFails(t)
	p.kill()
	k.Replace(t)
	s := open(t, path)
	for n := range acknowledged {
		if _, err := s.Share(t.Context(), share(n).ID, now); err != nil {
			t.Errorf("share %d of %d: %v", n, acknowledged, err)
		}
	}
	if damage, err := s.Check(t.Context()); err != nil || len(damage) > 0 {
		t.Errorf("%v %v", damage, err)
	}
}

const processPath = "SEALPOST_TEST_PATH"

// process is another one that has the file open.
type process struct {
	cmd *exec.Cmd
	in  io.Writer
	out *bufio.Reader
}

func newProcess(t *testing.T, path string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(os.Args[0], "-test.run=^TestProcess$")}
	p.cmd.Env = append(os.Environ(), processPath+"="+path)
	in, err := p.cmd.StdinPipe()
	out, oerr := p.cmd.StdoutPipe()
	if err := errors.Join(err, oerr, p.cmd.Start()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	p.in, p.out = in, bufio.NewReader(out)
	return p
}

func (p *process) kill() {
	p.cmd.Process.Kill()
	p.cmd.Wait()
}

func (p *process) ask(t *testing.T, what, format string, answer any) {
	t.Helper()
	io.WriteString(p.in, what)
	if line, err := p.out.ReadString('\n'); err != nil {
		t.Fatal(err)
	} else if _, err := fmt.Sscanf(line, format, answer); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
}

// TestProcess is what a process does.
func TestProcess(t *testing.T) {
	path := os.Getenv(processPath)
	if path == "" {
		return // it is a test like any other otherwise
	}
	s, err := sqlite.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	for {
		var what string
		var from, times, refused int
		if fmt.Scanln(&what, &from, &times); what == "wait" {
			began := time.Now()
			select {
			case <-s.Mended():
				if err := s.Ping(t.Context()); !errors.Is(err, store.ErrUnavailable) {
					t.Fatalf("ready: %v", err)
				}
				fmt.Println("mended after", int64(time.Since(began)))
			case <-time.After(time.Minute):
				t.Fatal("the disk is not said to be mended")
			}
			continue
		}
		for n := range times {
			if _, err := s.Create(t.Context(), share(from+n)); errors.Is(err, store.ErrUnavailable) {
				refused++
			} else if err != nil {
				t.Fatal(err)
			}
		}
		fmt.Println("refused", refused)
	}
}
