package disk

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"syscall"

	"github.com/sealpost/sealpost/server/store"
)

// Buffers are what a Put costs in memory, and nothing here bounds how many Puts run at once. So only the first get one with which
// the fewest system calls do: a thousand uploads that trickle have no use for it, and each keeps what it has.
var (
	buffers      = sync.Pool{New: func() any { return new([64 << 10]byte) }}
	smallBuffers = sync.Pool{New: func() any { return new([16 << 10]byte) }}
	buffersLeft  = make(chan struct{}, 128)
)

// buffer returns one, and what gives it back.
func buffer() (buf []byte, release func()) {
	select {
	case buffersLeft <- struct{}{}:
		b := buffers.Get().(*[64 << 10]byte)
		return b[:], func() {
			buffers.Put(b)
			<-buffersLeft
		}
	default:
		b := smallBuffers.Get().(*[16 << 10]byte)
		return b[:], func() { smallBuffers.Put(b) }
	}
}

// fill reserves size bytes in f, then writes body and syncs it. The loop is our own, not io.Copy's, which would take the
// 32 KiB way of os.File.ReadFrom, and so that an error of the body is never taken for one of the disk.
func (s *Store) fill(ctx context.Context, f *os.File, body io.Reader, size int64, digest store.Hash, magic string) error {
	err := allocate(f, size)
	if err == nil {
		err = leaves(f, s.MinFree) // asked after allocating, so that of many Puts at once none counts on room that another one got
	}
	if err != nil {
		return fmt.Errorf("failed to allocate part: %w", trouble(err))
	}
	buf, release := buffer()
	defer release()
	hash := sha256.New()
	begun := int64(0)  // how much the disk has been told to write
	want := len(magic) // at first as much as shows whether this is what it should be, then whole buffers
	for left := size; left > 0; {
		if err := ctx.Err(); err != nil {
			return err
		}
		if want == 0 || want > len(buf) {
			want = len(buf)
		}
		chunk := buf[:min(int64(want), left)]
		if _, err := io.ReadFull(body, chunk); err != nil {
			return bodyError(err)
		}
		if left == size && string(chunk[:len(magic)]) != magic {
			return store.ErrMagic
		}
		hash.Write(chunk)
		if _, err := f.Write(chunk); err != nil {
			return fmt.Errorf("failed to write part: %w", trouble(err))
		}
		left -= int64(len(chunk))
		want = 0
		if at := size - left; at-begun >= writeAhead && left > 0 {
			beginWriting(f, begun, at-begun)
			begun = at
		}
	}
	switch _, err := io.ReadFull(body, buf[:1]); {
	case err == nil:
		return store.ErrSize
	case err != io.EOF:
		return bodyError(err)
	}
	if [sha256.Size]byte(hash.Sum(nil)) != digest {
		return store.ErrDigest
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("failed to sync part: %w", trouble(err))
	}
	return nil
}

// writeAhead is after how many bytes the disk begins to write them, so that it does not wait for the last one: that leaves less to do when
// the file is synced.
const writeAhead = 1 << 20

func bodyError(err error) error {
	if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) {
		return store.ErrSize
	}
	return fmt.Errorf("failed to read body: %w", err)
}

// trouble makes of what the system says of a full disk or a used up quota an ErrFull, and of one that does not let itself be read or written,
// which may be mended, an ErrUnavailable. It takes the path away, which would tell the share.
func trouble(err error) error {
	err = nameless(err)
	switch {
	case errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("%w: %w", store.ErrFull, err)
	case errors.Is(err, syscall.EROFS) || errors.Is(err, syscall.EIO) || errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: %w", store.ErrUnavailable, err)
	}
	return err
}

func nameless(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return fmt.Errorf("%s: %w", p.Op, p.Err)
	}
	if l, ok := errors.AsType[*os.LinkError](err); ok {
		return fmt.Errorf("%s: %w", l.Op, l.Err)
	}
	return err
}
