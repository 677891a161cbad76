package services

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
)

// PostgreSQL is a running database server.
type PostgreSQL struct {
	process
	bin, port string
	as        *syscall.Credential // whom it runs as; nil is us
}

// newPostgres makes a database server with an empty cluster. It does not run as root, so it runs as postgres then.
func newPostgres() (_ *PostgreSQL, err error) {
	p := &PostgreSQL{}
	if p.bin, err = postgresBin(); err != nil {
		return nil, err
	}
	if os.Getuid() == 0 {
		if p.as, err = credential("postgres"); err != nil {
			return nil, err
		}
	}
	dir, err := os.MkdirTemp("", "postgres")
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			os.RemoveAll(dir)
		}
	}()
	if p.as != nil {
		if err := os.Chown(dir, int(p.as.Uid), int(p.as.Gid)); err != nil {
			return nil, err
		}
	}
	initdb := p.cmd("initdb", "-D", dir+"/data", "-A", "trust", "-U", "test", "-E", "UTF8", "--no-sync", "--no-instructions")
	initdb.Dir = dir
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %v: %s", err, out)
	}
	if p.port, err = freePort(); err != nil {
		return nil, err
	}
	p.process = process{name: "PostgreSQL", dir: dir, stop: syscall.SIGINT, crash: syscall.SIGQUIT,
		command: func() *exec.Cmd {
			cmd := p.cmd("postgres", "-D", dir+"/data", "-c", "listen_addresses=127.0.0.1", "-c", "port="+p.port,
				"-c", "unix_socket_directories="+dir, "-c", "max_connections=200")
			cmd.Dir = dir
			return cmd
		},
		ready: func() bool {
			return p.cmd("pg_isready", "-q", "-h", "127.0.0.1", "-p", p.port, "-U", "test", "-d", "postgres").Run() == nil
		},
	}
	return p, p.start()
}

// cmd is one of PostgreSQL's programs, to be run as whoever may.
func (p *PostgreSQL) cmd(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(p.bin, name), args...)
	cmd.SysProcAttr = attributes(p.as)
	return cmd
}

// postgresBin returns the folder of the newest PostgreSQL that Debian has installed, or that of the one in PATH.
func postgresBin() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil {
		return "", err
	}
	if len(found) > 0 {
		version := func(path string) int {
			n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
			return n
		}
		return filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) })), nil
	}
	path, err := exec.LookPath("postgres")
	if err != nil {
		return "", errors.New("postgres is not installed")
	}
	return filepath.Dir(path), nil
}

func credential(name string) (*syscall.Credential, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return nil, err
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

var schemas atomic.Int64

// Schema makes an empty schema and returns the address of a database in which there is nothing else.
func (p *PostgreSQL) Schema(t testing.TB) string {
	t.Helper()
	name := "test" + strconv.FormatInt(schemas.Add(1), 10)
	p.SQL(t, "CREATE SCHEMA "+name)
	return p.url() + "&search_path=" + url.QueryEscape(name)
}

func (p *PostgreSQL) url() string {
	return "postgres://test@127.0.0.1:" + p.port + "/postgres?sslmode=disable"
}

// SQL runs statements as the owner of everything, and returns what they print.
func (p *PostgreSQL) SQL(t testing.TB, statements string) string {
	t.Helper()
	cmd := exec.Command(filepath.Join(p.bin, "psql"), "-qAtX", "-v", "ON_ERROR_STOP=1", "-c", statements, p.url())
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("psql: %v: %s", err, out)
	}
	return string(out)
}
