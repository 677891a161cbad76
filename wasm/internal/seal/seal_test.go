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
	"slices"
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
	sh := sealContent(t, s, data, part)
	sh.id = id
	sh.m, err = OpenManifest(sh.manifest, id)
	must(t, err)
	if kind == KindFile {
		sh.plain = data[0]
	}
	return sh
}

// sealContent does what the page's workers do together: frames in any order, each part as soon as it is known, in any order too.
func sealContent(t testing.TB, s *Sealer, data [][]byte, part int64) *share {
	t.Helper()
	must(t, s.Start(part))
	made := make([][]byte, s.Frames())
	for _, i := range rand.Perm(len(made)) {
		c, err := NewCompressor()
		must(t, err)
		plain, err := s.readFrame(nil, int64(i), reader(data))
		must(t, err)
		made[i], err = c.Frame(nil, plain)
		must(t, err)
	}
	c, err := NewCipher(s.Key())
	must(t, err)
	var stream []byte
	var parts [][]byte
	seal := func() {
		more := make([][]byte, s.Known()-int64(len(parts)))
		for _, i := range rand.Perm(len(more)) {
			p, err := s.Part(int64(len(parts) + i + 1))
			must(t, err)
			more[i] = p.seal(c, stream[p.From:p.To])
		}
		parts = append(parts, more...)
	}
	for _, f := range made {
		must(t, s.Add(int64(len(f))))
		stream = append(stream, f...)
		if s.Parts() == 0 {
			seal()
		}
	}
	end, _ := openedSize(s.Sealed())
	tail, err := s.Tail(int64(len(stream)), end)
	must(t, err)
	stream = append(stream, tail...)
	seal()
	sh := &share{manifest: s.Manifest(), parts: parts}
	for i, p := range sh.parts {
		if int64(len(p)) != part && (i < len(sh.parts)-1 || int64(len(p)) > part) {
			t.Fatalf("part %d of %d has %d bytes", i+1, len(sh.parts), len(p))
		}
		sh.content = append(sh.content, p...)
	}
	if n := int64(len(sh.content)); n != s.Sealed() || n > s.Bound() || int64(len(parts)) != s.Parts() {
		t.Fatalf("%d bytes in %d parts sealed, announced %d in %d, at most %d", n, len(parts), s.Sealed(), s.Parts(), s.Bound())
	}
	return sh
}

// reader reads entries that hold data.
func reader(data [][]byte) func(entry int, p []byte, from int64) error {
	return func(entry int, p []byte, from int64) error {
		copy(p, data[entry][from:])
		return nil
	}
}

// open opens a content front to back, as it arrives in pieces. It returns what came before the error, too.
func open(id *age.X25519Identity, manifest, content []byte, size int64, piece int) (out []byte, err error) {
	o, err := NewOpener(id.String(), manifest)
	if err != nil {
		return nil, err
	}
	if err := o.Start(size); err != nil {
		return nil, err
	}
	d, err := NewDecompressor()
	if err != nil {
		return nil, err
	}
	defer d.Close()
	arrived := 0
	for done := false; !done; {
		if done = arrived == len(content); !done {
			arrived = min(arrived+piece, len(content))
			o.Arrived(int64(arrived))
			if o.stream == nil && arrived >= PrefixSize {
				err = o.Bind(content[:PrefixSize])
			}
		} else {
			err = o.End()
		}
		if err != nil {
			return out, err
		}
		if out, err = openArrived(o, d, content, out); err != nil {
			return out, err
		}
	}
	return out, o.Finish()
}

// openArrived opens what has arrived.
func openArrived(o *Opener, d *Decompressor, content, out []byte) ([]byte, error) {
	for {
		run, ok := o.Run(300_000)
		if !ok {
			return out, nil
		}
		more, err := o.stream.Open(nil, content[run.From:run.To], run.Chunk, run.Last)
		if err != nil {
			return out, err
		}
		if int64(len(more)) != run.opens() {
			return out, errors.New("a run of another size")
		}
		if err := o.Walk(more); err != nil {
			return out, err
		}
		opened := bytes.Clone(o.opened)
		for {
			frames, err := o.Frames(2)
			if err != nil {
				return out, err
			}
			if len(frames) == 0 {
				break
			}
			p, err := decompress(o, d, opened, frames, int64(len(out)))
			out = append(out, p...)
			if err != nil {
				return out, err
			}
			for _, f := range frames {
				opened = opened[f.Size:]
			}
		}
	}
}

// decompress opens frames, which b begins with, and checks them.
func decompress(o *Opener, d *Decompressor, b []byte, frames []Frame, at int64) (out []byte, err error) {
	for _, f := range frames {
		p, err := d.Frame(make([]byte, f.Plain), b[:f.Size], f.Plain)
		if err != nil {
			return out, err
		}
		if err := o.Check(at, f.Plain, func() []byte { return p }); err != nil {
			return out, err
		}
		out = append(out, p...)
		b = b[f.Size:]
		at += f.Plain
	}
	return out, nil
}

// random reads a range of a content at random.
func random(id *age.X25519Identity, manifest, content []byte, from, to int64) ([]byte, error) {
	o, err := NewOpener(id.String(), manifest)
	if err != nil {
		return nil, err
	}
	if err := o.Start(int64(len(content))); err != nil {
		return nil, err
	}
	a, b, err := o.TableRange()
	for err == nil && b > a {
		a, b, err = o.ReadTable(content[a:b])
	}
	if err != nil || from == to {
		return nil, err
	}
	w, err := o.Locate(from, to)
	if err != nil {
		return nil, err
	}
	opened, err := o.stream.Open(nil, content[w.From:w.To], w.Chunk, w.Last)
	if err != nil {
		return nil, err
	}
	d, err := NewDecompressor()
	if err != nil {
		return nil, err
	}
	defer d.Close()
	p, err := decompress(o, d, opened[w.Skip:], w.Frames, w.At)
	if err != nil {
		return nil, err
	}
	return p[from-w.At : to-w.At], nil
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
				p := c.of(int64(i)+1, s.prefix)
				from, to := c.sealed(int64(i) + 1)
				if p.Size != to-from {
					t.Fatalf("size %d, part %d of %d: %d bytes", size, i+1, part, p.Size)
				}
				copy(together[from:to], p.seal(s.Cipher, plain[p.From:p.To]))
			}
			if !bytes.Equal(together, whole) {
				t.Errorf("size %d, parts of %d: not what is sealed in one piece", size, part)
			}
		}
	}
}

// TestPlan: a part is known no sooner than all that it is sealed from, and nothing of it changes afterwards.
func TestPlan(t *testing.T) {
	id := newIdentity(t).String()
	for _, part := range []int64{100, 10_000, ChunkSize, sealedChunk, 300_000, 8 << 20} {
		s, err := NewSealer(id, KindFile, "", []Entry{{Name: "a", Size: 5*FrameSize + 1}})
		must(t, err)
		if err := s.Add(1000); !errors.Is(err, ErrMisuse) {
			t.Error("add before start:", err)
		}
		must(t, s.Start(part))
		if err := s.Start(part); !errors.Is(err, ErrMisuse) {
			t.Error("started twice:", err)
		}
		var parts []Part
		total := int64(0)
		for i := range s.Frames() {
			if s.Parts() != 0 || s.Sealed() != 0 {
				t.Error("the end is known before the last frame")
			}
			for n := int64(len(parts)) + 1; n <= s.Known(); n++ {
				p, err := s.Part(n)
				must(t, err)
				if parts = append(parts, p); p.To > total || p.Last {
					t.Fatalf("part %d needs %d of %d bytes, last: %v", n, p.To, total, p.Last)
				}
			}
			if _, err := s.Part(s.Known() + 1); !errors.Is(err, ErrMisuse) {
				t.Error("a part that is not known:", err)
			}
			if _, err := s.Tail(total, total+1); !errors.Is(err, ErrMisuse) {
				t.Error("a tail before the end:", err)
			}
			plain := min(FrameSize, s.Size()-i*FrameSize)
			for _, size := range []int64{0, leastFrame(plain) - 1, maxFrame(plain) + 1} {
				if err := s.Add(size); !errors.Is(err, ErrMisuse) {
					t.Errorf("a frame of %d bytes: %v", size, err)
				}
			}
			size := maxFrame(plain) / (i + 1)
			if i == s.Frames()-1 {
				size = leastFrame(plain)
			}
			must(t, s.Add(size))
			total += size
		}
		if err := s.Add(1000); !errors.Is(err, ErrMisuse) {
			t.Error("a frame too many:", err)
		}
		for i, p := range parts {
			if now, err := s.Part(int64(i) + 1); err != nil || fmt.Sprint(now) != fmt.Sprint(p) {
				t.Errorf("part %d was %v and is %v", i+1, p, now)
			}
		}
		if s.Known() != s.Parts() || s.Parts() != (s.Sealed()+part-1)/part {
			t.Errorf("%d parts of %d are known, of %d bytes", s.Known(), s.Parts(), s.Sealed())
		}
	}
}

// TestSerial: the simple way makes the same parts as the one of many workers.
func TestSerial(t *testing.T) {
	list, data := tree()
	id := newIdentity(t)
	for _, part := range []int64{100, 10_000, ChunkSize, sealedChunk, 1 << 20, 8 << 20} {
		sh := sealShare(t, id, KindTar, list, data, part)
		s := again(t, id, sh.m, sh.manifest, sh.content)
		var parts [][]byte
		must(t, s.Seal(part, reader(data), func(n int64, p []byte) error {
			if parts = append(parts, p); n != int64(len(parts)) {
				t.Errorf("part %d is the %d.", n, len(parts))
			}
			return nil
		}))
		if !slices.EqualFunc(parts, sh.parts, bytes.Equal) {
			t.Errorf("parts of %d: others", part)
		}
		for _, fails := range []bool{true, false} {
			wrong := errors.New("wrong")
			err := again(t, id, sh.m, sh.manifest, sh.content).Seal(part, func(entry int, p []byte, from int64) error {
				if fails {
					return wrong
				}
				return nil
			}, func(int64, []byte) error { return wrong })
			if !errors.Is(err, wrong) {
				t.Errorf("reading fails, %v: %v", fails, err)
			}
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
