//go:build js && wasm

package main

import (
	"io"
	"syscall/js"

	"github.com/sealpost/sealpost/wasm/internal/link"
	"github.com/sealpost/sealpost/wasm/internal/seal"
)

// outputStep bounds what the opener returns of one call: sealed bytes may hold a thousand times as many plain ones.
const outputStep = 16 << 20

func createLink(args arguments) (any, error) {
	password := args.password(0)
	return keys(link.New(password != ""), password)
}

func openLink(args arguments) (any, error) {
	l, err := link.Parse(args.string(0))
	if err != nil {
		return nil, err
	}
	return keys(l, args.password(1))
}

func keys(l link.Link, password string) (any, error) {
	access := l.Access()
	bearer, identity, reader := "", "", ""
	if password != "" || !l.NeedsPassword() {
		k, err := l.Unlock(password)
		if err != nil {
			return nil, err
		}
		bearer, identity, reader = k.Bearer(), k.Identity, k.Reader.Hash()
	}
	return map[string]any{
		"fragment": l.String(),
		"password": l.NeedsPassword(),
		"access":   access.String(),
		"bearer":   bearer,
		"identity": identity,
		"hashes":   map[string]any{"access": access.Hash(), "reader": reader},
	}, nil
}

func createToken(arguments) (any, error) {
	t := link.NewToken()
	return map[string]any{"token": t.String(), "hash": t.Hash()}, nil
}

type sealer struct {
	*seal.Sealer
	object js.Value
}

func newSealer(args arguments) (any, error) {
	list := args.at(3, js.TypeObject)
	entries := make([]seal.Entry, integer(list.Get("length")))
	for i := range entries {
		e := list.Index(i)
		entries[i] = seal.Entry{
			Name:     arguments{e.Get("name")}.string(0),
			Size:     arguments{e.Get("size")}.int(0),
			Type:     arguments{e.Get("type")}.string(0),
			Modified: arguments{e.Get("modified")}.int(0),
		}
	}
	g, err := seal.NewSealer(args.string(0), seal.Kind(args.string(1)), args.string(2), entries)
	if err != nil {
		return nil, err
	}
	s := &sealer{Sealer: g}
	s.object = newObject(s.exports(), func() { s.Sealer = nil })
	s.object.Set("manifest", toJS(g.Manifest()))
	s.object.Set("bound", g.Bound())
	s.object.Set("size", g.Size())
	s.object.Set("sealed", 0)
	s.object.Set("framed", 0)
	s.object.Set("compressed", 0)
	return s.object, nil
}

func (s *sealer) start(args arguments) (any, error) { return nil, s.Start(args.int(0)) }

func (s *sealer) write(args arguments) (any, error) {
	return s.parts(s.Write(int(args.int(0)), args.bytes(1)))
}

func (s *sealer) finish(arguments) (any, error) { return s.parts(s.Finish()) }

func (s *sealer) parts(parts [][]byte, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	framed, compressed := s.Compressed()
	s.object.Set("sealed", s.Sealed())
	s.object.Set("framed", framed)
	s.object.Set("compressed", compressed)
	return listToJS(parts), nil
}

type opener struct{ *seal.Opener }

func newOpener(args arguments) (any, error) {
	g, err := seal.NewOpener(args.string(0), args.bytes(1))
	if err != nil {
		return nil, err
	}
	o := &opener{g}
	object := newObject(o.exports(), g.Close)
	object.Set("manifest", manifestToJS(g.Manifest()))
	return object, nil
}

func manifestToJS(m *seal.Manifest) map[string]any {
	entries := make([]any, len(m.Entries))
	for i := range m.Entries {
		e := &m.Entries[i]
		entries[i] = map[string]any{
			"name":      e.Name,
			"size":      e.Size,
			"type":      e.Type,
			"modified":  e.Modified,
			"offset":    e.Offset,
			"directory": e.Directory(),
		}
	}
	return map[string]any{
		"kind":     string(m.Kind),
		"note":     m.Note,
		"entries":  entries,
		"size":     m.Size,
		"saveName": m.SaveName(),
	}
}

func (o *opener) start(args arguments) (any, error) { return nil, o.Start(args.int(0)) }

func (o *opener) write(args arguments) (any, error) {
	if err := o.Push(args.bytes(0)); err != nil {
		return nil, err
	}
	return o.pull()
}

func (o *opener) finish(arguments) (any, error) {
	if err := o.End(); err != nil {
		return nil, err
	}
	return o.pull()
}

// pull returns what is opened, some of it at a time.
func (o *opener) pull() (any, error) {
	list := []any{}
	for size := 0; size < outputStep; {
		p, err := o.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		if p == nil {
			break
		}
		list = append(list, toJS(p))
		size += len(p)
	}
	return list, nil
}

func (o *opener) tableRange(arguments) (any, error) { return toRange(o.TableRange()) }

func (o *opener) table(args arguments) (any, error) {
	from, to, err := o.ReadTable(args.bytes(0))
	if err == nil && from == to {
		return js.Undefined(), nil
	}
	return toRange(from, to, err)
}

func (o *opener) locate(args arguments) (any, error) {
	return toRange(o.Locate(args.int(0), args.int(1)))
}

func (o *opener) read(args arguments) (any, error) {
	p, err := o.Read(args.bytes(0), args.int(1), args.int(2))
	if err != nil {
		return nil, err
	}
	return toJS(p), nil
}

func toRange(from, to int64, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return []any{from, to}, nil
}
