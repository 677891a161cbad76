//go:build js && wasm

package main

import (
	"syscall/js"

	"github.com/sealpost/sealpost/wasm/internal/link"
	"github.com/sealpost/sealpost/wasm/internal/report"
	"github.com/sealpost/sealpost/wasm/internal/seal"
)

// framesAtOnce bounds how many frames the opener tells of in one call: few bytes may hold very many.
const framesAtOnce = 64

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

func sealReport(args arguments) (any, error) {
	r := args.at(1, js.TypeObject)
	text := func(name string) string { return arguments{r.Get(name)}.string(0) }
	sealed, err := report.Seal(args.string(0), report.Report{Share: text("share"), Reason: text("reason"), Words: text("words"),
		Link: text("link"), Identity: text("identity")})
	if err != nil {
		return nil, err
	}
	return toJS(sealed), nil
}

type sealer struct {
	*seal.Sealer
	object js.Value
}

func newSealer(args arguments) (any, error) {
	g, err := seal.NewSealer(args.string(0), seal.Kind(args.string(1)), args.string(2), args.entries(3))
	return sealerToJS(g, err)
}

func resumeSealer(args arguments) (any, error) {
	g, err := seal.ResumeSealer(args.string(0), seal.Kind(args.string(1)), args.string(2), args.entries(3), args.bytes(4, nil), args.bytes(5, nil))
	return sealerToJS(g, err)
}

func (a arguments) entries(i int) []seal.Entry {
	list := a.at(i, js.TypeObject)
	entries := make([]seal.Entry, integer(list.Get("length")))
	for i := range entries {
		e := list.Index(i)
		entries[i] = seal.Entry{
			Name:     arguments{e.Get("name")}.string(0),
			Size:     arguments{e.Get("size")}.int(0),
			Type:     arguments{e.Get("type")}.string(0),
			Modified: arguments{e.Get("modified")}.int(0),
		}
		if thumbnail := e.Get("thumbnail"); !thumbnail.IsUndefined() {
			entries[i].Thumbnail = arguments{thumbnail}.bytes(0, nil)
		}
	}
	return entries
}

func sealerToJS(g *seal.Sealer, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	s := &sealer{Sealer: g}
	s.object = newObject(s.exports(), func() { s.Sealer = nil })
	s.object.Set("manifest", toJS(g.Manifest()))
	s.object.Set("key", toJS(g.Key()))
	s.object.Set("prefix", toJS(g.Prefix()))
	s.object.Set("bound", g.Bound())
	s.object.Set("size", g.Size())
	s.object.Set("frames", g.Frames())
	s.tell()
	return s.object, nil
}

// tell shows how far the plan is.
func (s *sealer) tell() {
	s.object.Set("known", s.Known())
	s.object.Set("parts", s.Parts())
	s.object.Set("sealed", s.Sealed())
}

func (s *sealer) start(args arguments) (any, error) {
	err := s.Start(args.int(0))
	s.tell()
	return nil, err
}

func (s *sealer) pieces(args arguments) (any, error) {
	pieces, err := s.Pieces(args.int(0))
	if err != nil {
		return nil, err
	}
	list := make([]any, len(pieces))
	for i, p := range pieces {
		if p.Entry < 0 {
			list[i] = toJS(p.Fixed)
		} else {
			list[i] = []any{p.Entry, p.From, p.To}
		}
	}
	return list, nil
}

func (s *sealer) add(args arguments) (any, error) {
	err := s.Add(args.int(0))
	s.tell()
	return nil, err
}

func (s *sealer) part(args arguments) (any, error) {
	p, err := s.Part(args.int(0))
	if err != nil {
		return nil, err
	}
	return map[string]any{
		"size":  p.Size,
		"from":  p.From,
		"to":    p.To,
		"chunk": p.Chunk,
		"last":  p.Last,
		"at":    p.At,
		"head":  toJS(p.Head),
	}, nil
}

func (s *sealer) tail(args arguments) (any, error) {
	p, err := s.Tail(args.int(0), args.int(1))
	if err != nil {
		return nil, err
	}
	return toJS(p), nil
}

type opener struct {
	*seal.Opener
	object js.Value
	buf    []byte
}

func newOpener(args arguments) (any, error) {
	g, err := seal.NewOpener(args.string(0), args.bytes(1, nil))
	if err != nil {
		return nil, err
	}
	o := &opener{Opener: g}
	o.object = newObject(o.exports(), func() { o.Opener, o.buf = nil, nil })
	o.object.Set("manifest", manifestToJS(g.Manifest()))
	return o.object, nil
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
			"pictured":  len(e.Thumbnail) > 0,
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

func (o *opener) thumbnail(args arguments) (any, error) {
	i, list := args.int(0), o.Manifest().Entries
	if i < 0 || i >= int64(len(list)) {
		return nil, errMisuse
	}
	return toJS(list[i].Thumbnail), nil
}

func (o *opener) start(args arguments) (any, error) { return nil, o.Start(args.int(0)) }

func (o *opener) bind(args arguments) (any, error) {
	if err := o.Bind(args.bytes(0, nil)); err != nil {
		return nil, err
	}
	o.object.Set("key", toJS(o.Key()))
	return nil, nil
}

func (o *opener) arrived(args arguments) (any, error) {
	o.Arrived(args.int(0))
	return nil, nil
}

func (o *opener) end(arguments) (any, error) { return nil, o.End() }

func (o *opener) run(args arguments) (any, error) {
	r, ok := o.Run(args.int(0))
	if !ok {
		return nil, nil
	}
	return runToJS(r), nil
}

func runToJS(r seal.Run) map[string]any {
	return map[string]any{"from": r.From, "to": r.To, "chunk": r.Chunk, "last": r.Last}
}

func (o *opener) walk(args arguments) (any, error) {
	o.buf = args.bytes(0, o.buf)
	return nil, o.Walk(o.buf)
}

func (o *opener) frames(arguments) (any, error) {
	frames, err := o.Frames(framesAtOnce)
	if err != nil {
		return nil, err
	}
	return framesToJS(frames), nil
}

func framesToJS(frames []seal.Frame) []any {
	list := make([]any, len(frames))
	for i, f := range frames {
		list[i] = map[string]any{"size": f.Size, "plain": f.Plain}
	}
	return list
}

func (o *opener) check(args arguments) (any, error) {
	n := integer(args.at(1, js.TypeObject).Get("length"))
	return nil, o.Check(args.int(0), n, func() []byte {
		o.buf = args.bytes(1, o.buf)
		return o.buf
	})
}

func (o *opener) finish(arguments) (any, error) { return nil, o.Finish() }

func (o *opener) tableRange(arguments) (any, error) { return toRange(o.TableRange()) }

func (o *opener) table(args arguments) (any, error) {
	from, to, err := o.ReadTable(args.bytes(0, nil))
	if err == nil && from == to {
		o.object.Set("key", toJS(o.Key()))
		return nil, nil
	}
	return toRange(from, to, err)
}

func (o *opener) locate(args arguments) (any, error) {
	w, err := o.Locate(args.int(0), args.int(1))
	if err != nil {
		return nil, err
	}
	v := runToJS(w.Run)
	v["skip"], v["at"], v["frames"] = w.Skip, w.At, framesToJS(w.Frames)
	return v, nil
}

func toRange(from, to int64, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return []any{from, to}, nil
}
