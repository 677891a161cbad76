package services

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/cors"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// What a client of an S3Server says of itself.
const (
	S3Access = "test"
	S3Secret = "testsecret"
	S3Region = "us-east-1"
)

// S3Server is a running S3 server. It addresses buckets by path.
type S3Server struct {
	process
	port string
}

func newS3() (_ *S3Server, err error) {
	program, err := versitygw()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "s3")
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			os.RemoveAll(dir)
		}
	}()
	if err := os.Mkdir(dir+"/data", 0o700); err != nil {
		return nil, err
	}
	s := &S3Server{}
	if s.port, err = freePort(); err != nil {
		return nil, err
	}
	s.process = process{name: "versitygw", dir: dir, stop: syscall.SIGKILL, crash: syscall.SIGKILL, // asked to end it would wait for what runs
		command: func() *exec.Cmd {
			cmd := exec.Command(program, "--port", "127.0.0.1:"+s.port, "--quiet", "--keep-alive", "posix", dir+"/data")
			cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+S3Access, "ROOT_SECRET_KEY="+S3Secret)
			cmd.Dir = dir
			cmd.SysProcAttr = attributes(nil)
			return cmd
		},
		ready: func() bool {
			c, err := net.Dial("tcp", "127.0.0.1:"+s.port)
			if err == nil {
				c.Close()
			}
			return err == nil
		},
	}
	return s, s.start()
}

// Endpoint returns the server's address.
func (s *S3Server) Endpoint() string { return "http://127.0.0.1:" + s.port }

var buckets atomic.Int64

// Bucket makes an empty bucket and returns its name. It is a folder.
func (s *S3Server) Bucket(t testing.TB) string {
	t.Helper()
	name := "bucket" + strconv.FormatInt(buckets.Add(1), 10)
	if err := os.Mkdir(s.Folder(name), 0o700); err != nil {
		t.Fatal(err)
	}
	return name
}

// Folder returns where a bucket's objects are, as files under their names.
func (s *S3Server) Folder(bucket string) string { return filepath.Join(s.dir, "data", bucket) }

// versitygw returns the path of the program, which is built if it is not there yet. Of several tests that want it one builds it.
func versitygw() (string, error) {
	_, here, _, _ := runtime.Caller(0)
	module := filepath.Join(filepath.Dir(here), "testdata", "versitygw")
	sums, err := os.ReadFile(filepath.Join(module, "go.sum"))
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Join(cache, "sealpost"), 0o700); err != nil {
		return "", err
	}
	digest := sha256.Sum256(sums)
	program := filepath.Join(cache, "sealpost", "versitygw-"+hex.EncodeToString(digest[:6]))
	lock, err := os.OpenFile(program+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return "", err
	}
	defer lock.Close() // which unlocks it
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", err
	}
	if _, err := os.Stat(program); err == nil {
		return program, nil
	}
	build := exec.Command("go", "build", "-trimpath", "-o", program+".new", "github.com/versity/versitygw/cmd/versitygw")
	build.Dir = module
	build.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=readonly")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("failed to build versitygw: %v: %s", err, out)
	}
	return program, os.Rename(program+".new", program)
}

// AllowPages gives a bucket the rules by which pages of an origin may move parts between browser and bucket: those that we publish for that.
func (s *S3Server) AllowPages(t testing.TB, bucket, origin string) {
	t.Helper()
	_, here, _, _ := runtime.Caller(0)
	rules, err := os.ReadFile(filepath.Join(filepath.Dir(here), "..", "..", "deploy", "bucket-cors.xml"))
	if err != nil {
		t.Fatal(err)
	}
	const example = "https://sealpost.example"
	if !bytes.Contains(rules, []byte(example)) {
		t.Fatalf("the rules do not name %s", example)
	}
	config, err := cors.ParseBucketCorsConfig(bytes.NewReader(bytes.ReplaceAll(rules, []byte(example), []byte(origin))))
	if err != nil {
		t.Fatal(err)
	}
	client, err := minio.New("127.0.0.1:"+s.port, &minio.Options{Creds: credentials.NewStaticV4(S3Access, S3Secret, ""), Region: S3Region})
	if err != nil {
		t.Fatal(err)
	}
	if err := client.SetBucketCors(t.Context(), bucket, config); err != nil {
		t.Fatal(err)
	}
}
