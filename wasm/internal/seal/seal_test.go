package seal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"filippo.io/age"
)

// long says whether the tests that take minutes run too.
var long = os.Getenv("SEALPOST_LONG") == "1"

const seed = 0x5ea1

type share struct {
	id       *age.X25519Identity
	manifest []byte
	content  []byte
	plain    []byte
	parts    [][]byte
	m        *Manifest
}

func newIdentity(t testing.TB) *age.X25519Identity {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	must(t, err)
	return id
}

// mixed is n bytes of which about half compress.
func mixed(n int) []byte {
	r := rand.New(rand.NewPCG(seed, uint64(n)))
	b := make([]byte, n)
	for i := 0; i < n; {
		k := min(n-i, 1+r.IntN(40_000))
		if r.IntN(2) == 0 {
			for j := range k {
				b[i+j] = byte(r.Uint32())
			}
		} else {
			copy(b[i:i+k], bytes.Repeat([]byte("sealing wax "), k/12+1))
		}
		i += k
	}
	return b
}

func noise(n int) []byte {
	b := make([]byte, n)
	c := rand.NewChaCha8([32]byte{1: byte(n), 2: byte(n >> 8), 3: byte(n >> 16)})
	c.Read(b)
	return b
}

func sealFile(t testing.TB, data []byte, part int64) *share {
	t.Helper()
	return sealShare(t, newIdentity(t), KindFile, []Entry{{Name: "file", Size: int64(len(data))}}, [][]byte{data}, part)
}

func sealShare(t testing.TB, id *age.X25519Identity, kind Kind, list []Entry, data [][]byte, part int64) *share {
	t.Helper()
	s, err := NewSealer(id.String(), kind, "", list)
	must(t, err)
	must(t, s.Start(part))
	sh := &share{id: id, manifest: s.Manifest()}
	for i, d := range data {
		for len(d) > 0 {
			n := min(len(d), 300_001)
			parts, err := s.Write(i, d[:n])
			must(t, err)
			sh.parts = append(sh.parts, parts...)
			d = d[n:]
		}
	}
	for {
		parts, err := s.Finish()
		must(t, err)
		if len(parts) == 0 {
			break
		}
		sh.parts = append(sh.parts, parts...)
	}
	for i, p := range sh.parts {
		if int64(len(p)) != part && (i < len(sh.parts)-1 || int64(len(p)) > part) {
			t.Fatalf("part %d of %d has %d bytes", i+1, len(sh.parts), len(p))
		}
		sh.content = append(sh.content, p...)
	}
	if n := int64(len(sh.content)); n != s.Sealed() || n > s.Bound() {
		t.Fatalf("%d bytes sealed, announced %d, at most %d", n, s.Sealed(), s.Bound())
	}
	sh.m, err = OpenManifest(sh.manifest, id)
	must(t, err)
	if kind == KindFile {
		sh.plain = data[0]
	}
	return sh
}

// open opens a content front to back, pushing it in pieces. It returns what came before the error, too.
func open(id *age.X25519Identity, manifest, content []byte, size int64, piece int) ([]byte, error) {
	o, err := NewOpener(id.String(), manifest)
	if err != nil {
		return nil, err
	}
	defer o.Close()
	if err := o.Start(size); err != nil {
		return nil, err
	}
	var out []byte
	for ended := false; ; {
		p, err := o.Next()
		switch {
		case err == io.EOF:
			return out, nil
		case err != nil:
			return out, err
		case p != nil:
			out = append(out, p...)
			continue
		case ended:
			return out, errors.New("neither more nor an end")
		case len(content) > 0:
			n := min(piece, len(content))
			err = o.Push(content[:n])
			content = content[n:]
		default:
			ended = true
			err = o.End()
		}
		if err != nil {
			return out, err
		}
	}
}

// random reads a range of a content at random.
func random(id *age.X25519Identity, manifest, content []byte, from, to int64) ([]byte, error) {
	o, err := NewOpener(id.String(), manifest)
	if err != nil {
		return nil, err
	}
	defer o.Close()
	if err := o.Start(int64(len(content))); err != nil {
		return nil, err
	}
	a, b, err := o.TableRange()
	for err == nil && b > a {
		a, b, err = o.ReadTable(content[a:b])
	}
	if err != nil {
		return nil, err
	}
	if a, b, err = o.Locate(from, to); err != nil {
		return nil, err
	}
	return o.Read(content[a:b], from, to)
}

func TestRoundTrip(t *testing.T) {
	sizes := []int{0, 1, 255, 256, 257, 65_791, 65_792, ChunkSize - 1, ChunkSize, ChunkSize + 1,
		FrameSize - 1, FrameSize, FrameSize + 1, 3*FrameSize + 77}
	r := rand.New(rand.NewPCG(seed, 1))
	for _, size := range sizes {
		for _, part := range []int64{10_000, ChunkSize, sealedChunk, 1 << 20, 8 << 20} {
			for _, data := range [][]byte{noise(size), mixed(size)} {
				sh := sealFile(t, data, part)
				for _, known := range []int64{0, int64(len(sh.content))} {
					got, err := open(sh.id, sh.manifest, sh.content, known, 1+r.IntN(1<<20))
					if err != nil || !bytes.Equal(got, data) {
						t.Fatalf("size %d, part %d: %v, %d bytes", size, part, err, len(got))
					}
				}
				from := r.Int64N(int64(size) + 1)
				to := from + r.Int64N(int64(size)-from+1)
				got, err := random(sh.id, sh.manifest, sh.content, from, to)
				if err != nil || !bytes.Equal(got, data[from:to]) {
					t.Fatalf("size %d, range %d to %d: %v, %d bytes", size, from, to, err, len(got))
				}
			}
		}
	}
}

// A share's sealed size on either side of the borders of chunks and parts.
func TestBorders(t *testing.T) {
	id := newIdentity(t)
	for _, size := range []int64{0, 1, ChunkSize - 1, ChunkSize, ChunkSize + 1, 3*ChunkSize - 1, 3 * ChunkSize, 5*ChunkSize + 9} {
		plain := noise(int(size))
		s, err := newStream(id)
		must(t, err)
		whole := s.sealAll(plain)
		if n, ok := openedSize(int64(len(whole))); !ok || n != size {
			t.Errorf("opened size %d of %d", n, size)
		}
		r, err := age.Decrypt(bytes.NewReader(whole), id)
		must(t, err)
		got, err := io.ReadAll(r)
		must(t, err)
		if !bytes.Equal(got, plain) {
			t.Errorf("age opened other bytes of %d", size)
		}
		n := int64(len(whole))
		for _, part := range []int64{1, 7, 100, PrefixSize - 1, PrefixSize, PrefixSize + 1, sealedChunk - 1, sealedChunk, sealedChunk + 1,
			n - 1, n, n + 1} {
			if n/part > 3000 {
				continue
			}
			c := cut{part: part, size: size}
			together := make([]byte, n)
			for _, i := range rand.Perm(int(c.count())) { // in any order
				a, b := c.plain(int64(i) + 1)
				p, err := s.sealPart(c, int64(i)+1, plain[a:b])
				must(t, err)
				from, to := c.sealed(int64(i) + 1)
				if int64(copy(together[from:to], p)) != to-from || int64(len(p)) != to-from {
					t.Fatalf("size %d, part %d of %d: %d bytes", size, i+1, part, len(p))
				}
			}
			if !bytes.Equal(together, whole) {
				t.Errorf("size %d, parts of %d: not what is sealed in one piece", size, part)
			}
			a := newAssembler(s, int(part))
			var out []byte
			for p := plain; len(p) > 0; {
				k := min(len(p), 50_000)
				parts, err := a.write(p[:k])
				must(t, err)
				out = append(out, bytes.Join(parts, nil)...)
				p = p[k:]
			}
			parts, err := a.finish()
			must(t, err)
			if !bytes.Equal(append(out, bytes.Join(parts, nil)...), whole) {
				t.Errorf("size %d, parts of %d: assembled otherwise", size, part)
			}
			if _, err := a.write([]byte{1}); !errors.Is(err, ErrMisuse) {
				t.Error("wrote after the end:", err)
			}
		}
	}
}

// An entry that is not as large as announced, and methods out of order.
func TestChanged(t *testing.T) {
	id := newIdentity(t).String()
	fresh := func() *Sealer {
		s, err := NewSealer(id, KindTar, "", []Entry{{Name: "a", Size: 3}, {Name: "b", Size: 0}, {Name: "c", Size: 2}})
		must(t, err)
		return s
	}
	for name, c := range map[string]struct {
		want error
		do   func(s *Sealer) error
	}{
		"larger":      {ErrChanged, func(s *Sealer) error { _, err := s.Write(0, make([]byte, 4)); return err }},
		"larger zero": {ErrChanged, func(s *Sealer) error { s.Write(0, make([]byte, 3)); _, err := s.Write(1, []byte{1}); return err }},
		"smaller":     {ErrChanged, func(s *Sealer) error { s.Write(0, make([]byte, 2)); _, err := s.Write(2, []byte{1}); return err }},
		"backwards": {ErrChanged, func(s *Sealer) error {
			s.Write(0, make([]byte, 3))
			s.Write(2, []byte{1})
			_, err := s.Write(0, []byte{1})
			return err
		}},
		"missing":  {ErrChanged, func(s *Sealer) error { s.Write(0, make([]byte, 3)); _, err := s.Finish(); return err }},
		"sticky":   {ErrChanged, func(s *Sealer) error { s.Write(0, make([]byte, 4)); _, err := s.Write(0, []byte{1}); return err }},
		"no entry": {ErrMisuse, func(s *Sealer) error { _, err := s.Write(3, []byte{1}); return err }},
		"twice":    {ErrMisuse, func(s *Sealer) error { return s.Start(1) }},
	} {
		s := fresh()
		if _, err := s.Write(0, nil); !errors.Is(err, ErrMisuse) {
			t.Error("write before start:", err)
		}
		must(t, s.Start(1<<20))
		if err := c.do(s); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestStockTools opens shares with the system's age, zstd and tar.
func TestStockTools(t *testing.T) {
	for _, tool := range []string{"age", "zstd", "tar"} {
		if _, err := exec.LookPath(tool); err != nil || runtime.GOOS == "js" {
			t.Skip(tool, "is not there")
		}
	}
	run := func(dir, script string) []byte {
		t.Helper()
		cmd := exec.Command("bash", "-o", "pipefail", "-c", script)
		cmd.Dir, cmd.Stderr = dir, os.Stderr
		out, err := cmd.Output()
		must(t, err)
		return out
	}
	save := func(sh *share) string {
		dir := t.TempDir()
		must(t, os.WriteFile(filepath.Join(dir, "key"), []byte(sh.id.String()+"\n"), 0o600))
		must(t, os.WriteFile(filepath.Join(dir, "c"), sh.content, 0o600))
		must(t, os.WriteFile(filepath.Join(dir, "m"), sh.manifest, 0o600))
		return dir
	}
	for _, size := range []int{0, 1, FrameSize, 2*FrameSize + 5} {
		sh := sealFile(t, mixed(size), 1<<20)
		dir := save(sh)
		if !bytes.Equal(run(dir, "age -d -i key c | zstd -dq"), sh.plain) {
			t.Errorf("%d bytes: age and zstd opened other bytes", size)
		}
		if !bytes.Contains(run(dir, "age -d -i key m | zstd -dq"), []byte(`"kind":"file"`)) {
			t.Error("no manifest in the manifest")
		}
	}
	list, data := tree()
	sh := sealShare(t, newIdentity(t), KindTar, list, data, 1<<20)
	dir := save(sh)
	run(dir, "mkdir out; age -d -i key c | zstd -dq | tar -x -C out")
	for i, e := range list {
		if e.Directory() {
			if f, err := os.Stat(filepath.Join(dir, "out", e.Name)); err != nil || !f.IsDir() {
				t.Errorf("%q: %v", e.Name, err)
			}
			continue
		}
		got, err := os.ReadFile(filepath.Join(dir, "out", e.Name))
		if err != nil || !bytes.Equal(got, data[i]) {
			t.Errorf("%q: %v, %d bytes", e.Name, err, len(got))
		}
	}
}

// tree is a folder with names of every kind.
func tree() ([]Entry, [][]byte) {
	var list []Entry
	var data [][]byte
	for i, name := range []string{"plain.txt", "empty", "a/b/c", "a/b.c", "a/empty folder/", "📯 post.txt", "עברית/العربية.txt",
		fmt.Sprintf("%0100d", 1), fmt.Sprintf("%0101d", 2), fmt.Sprintf("%0200d/%0200d/x", 3, 4), "quote'\"\n\t.txt", " lead", "rtl\u202egpj.exe"} {
		e := Entry{Name: name, Modified: int64(i) * 1_000_000}
		b := mixed(i * i * 1000)
		if e.Directory() || name == "empty" {
			b = nil
		}
		e.Size = int64(len(b))
		list, data = append(list, e), append(data, b)
	}
	return list, data
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
