package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sealpost/sealpost/wasm/e2e/webdriver"
	"github.com/sealpost/sealpost/wasm/internal/seal"
)

// film makes a film of some size with pictures that do not compress and a tone, from a scene that is repeated.
func film(t *testing.T, path string, size int64, codecs ...string) {
	t.Helper()
	scene := filepath.Join(t.TempDir(), "scene"+filepath.Ext(path))
	args := append([]string{"-loglevel", "error", "-f", "lavfi", "-i", "testsrc2=size=480x270:rate=10,noise=alls=30:allf=t", "-f", "lavfi", "-i", "sine=frequency=440", "-t", "10"}, codecs...)
	command(t, nil, "ffmpeg", append(args, scene)...)
	info, err := os.Stat(scene)
	must(t, err)
	loops := fmt.Sprint(size/info.Size() + 1)
	command(t, nil, "ffmpeg", "-loglevel", "error", "-stream_loop", loops, "-i", scene, "-c", "copy", path)
}

// sealPaths makes a share of files, without a browser.
func (s *site) sealPaths(t *testing.T, paths ...string) string {
	t.Helper()
	var entries []seal.Entry
	var files []*os.File
	for _, path := range paths {
		f, err := os.Open(path)
		must(t, err)
		defer f.Close()
		info, err := f.Stat()
		must(t, err)
		files, entries = append(files, f), append(entries, seal.Entry{Name: filepath.Base(path), Size: info.Size()})
	}
	return s.sealFrom(t, seal.KindTar, "", entries, 0, func(entry int, p []byte, from int64) error {
		_, err := files[entry].ReadAt(p, from)
		return err
	})
}

// TestPlay: video and sound play while they arrive, and seek; of a long film a few megabytes are fetched for that.
func TestPlay(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	size, most := sized[int64](128<<20, 2<<30), sized[int64](64<<20, 160<<20) // WebKit fetches a fiftieth of a film ahead, wherever it is
	mp4, webm, wav := filepath.Join(dir, "film.mp4"), filepath.Join(dir, "film.webm"), filepath.Join(dir, "tone.wav")
	rate := sized("700k", "3000k") // of which Firefox fetches a minute ahead
	film(t, mp4, size, "-c:v", "libx264", "-preset", "ultrafast", "-b:v", rate, "-maxrate", rate, "-bufsize", rate, "-pix_fmt", "yuv420p", "-g", "20", "-c:a", "aac")
	film(t, webm, size, "-c:v", "libvpx", "-deadline", "realtime", "-b:v", rate, "-g", "20", "-c:a", "libvorbis")
	command(t, nil, "ffmpeg", "-loglevel", "error", "-f", "lavfi", "-i", "sine=frequency=440", "-t", "120", wav)
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t)
		s.tap.observe()
		strays := s.strays()
		share := s.sealPaths(t, mp4, webm, wav)
		id := s.reader(t, share, "").id
		b := launch(t, engine, webdriver.Options{})
		open(t, b, share, "ready")
		must(t, b.WaitForElement("[data-hook=preview]", patience))
		for _, name := range []string{"film.mp4", "film.webm", "tone.wav"} {
			before := s.tap.sent(id)
			look(t, b, name)
			if state, text := shown(t, b); state != "shown" {
				v, _ := b.Eval("return window.observed.join('; ')")
				t.Errorf("%s: %s is %s: %s (%v)", engine, name, state, text, v)
				continue
			}
			t0 := time.Now()
			wantPlays(t, b, name)
			sent := s.tap.sent(id) - before
			t.Logf("%s: %s played and sought in %v, for %.1f MiB", engine, name, time.Since(t0).Round(time.Millisecond), float64(sent)/(1<<20))
			if sent > most {
				t.Errorf("%s: %s: %d MiB were fetched", engine, name, sent>>20)
			}
			must(t, b.Click("[data-hook=viewer-close]"))
			time.Sleep(300 * time.Millisecond)
			rest := s.tap.sent(id)
			time.Sleep(500 * time.Millisecond)
			if now := s.tap.sent(id); now != rest {
				t.Errorf("%s: %s: %d bytes were fetched after the viewer was closed", engine, name, now-rest)
			}
		}
		if found := strays(); len(found) > 0 {
			t.Errorf("%s: requests other than for the share: %q", engine, found)
		}
		wantQuiet(t, b)
	})
}

// wantPlays has what is shown play, seek to some parts of it, if they are not named forth and back, and play on.
func wantPlays(t *testing.T, b *webdriver.Browser, what string, parts ...float64) {
	t.Helper()
	if parts == nil {
		parts = []float64{0.8, 0.3}
	}
	must(t, b.Click("#viewer-title")) // Chromium plays nothing to somebody who has not pressed anything
	v, err := b.Eval(`const v=document.querySelector('.stage video,.stage audio');v.muted=true;
		const told=()=>[v.currentTime,v.duration,v.readyState,v.networkState,v.error?.message,document.querySelector('[data-hook=viewer-body]').textContent].join(', ');
		const until=async(what,ok)=>{for(let n=0;n<600;n++){if(ok())return;if(v.error||!v.isConnected)break;await new Promise(r=>setTimeout(r,50))}throw new Error('not '+what+': '+told())};
		await until('ready',()=>v.readyState>=1);const d=v.duration;
		if(!(d>60)||d===Infinity)throw new Error('lasts '+d);
		v.play().catch(()=>{});const at=v.currentTime;await until('playing',()=>v.currentTime>Math.max(at,0.7));
		for(const part of a[0]){v.currentTime=d*part;await until('sought to '+part,()=>!v.seeking&&v.readyState>=2);await until('playing on from '+part,()=>v.currentTime>d*part+0.4&&v.currentTime<d*part+20)}
		v.pause();return v.videoWidth`, parts)
	if err != nil {
		t.Fatalf("%s: %s: %v", b.Engine, what, err)
	}
	if width := v; strings.HasPrefix(what, "film") && width != 480.0 {
		t.Errorf("%s: %s is %v pixels wide", b.Engine, what, width)
	}
}

// TestSeeks: however often somebody seeks, it plays on from there.
func TestSeeks(t *testing.T) {
	sometimes(t)
	webm := filepath.Join(t.TempDir(), "film.webm")
	film(t, webm, sized[int64](64<<20, 2<<30), "-c:v", "libvpx", "-deadline", "realtime", "-b:v", "3000k", "-g", "20", "-c:a", "libvorbis")
	s := newSite(t)
	share := s.sealPaths(t, webm)
	someEngine(t, func(t *testing.T, engine string) {
		b := launch(t, engine, webdriver.Options{})
		open(t, b, share, "ready")
		must(t, b.WaitForElement("[data-hook=preview]", patience))
		look(t, b, "film.webm")
		if state, text := shown(t, b); state != "shown" {
			t.Fatalf("it is %s: %s", state, text)
		}
		r := random(t)
		for range sized(2, 10) {
			wantPlays(t, b, "film", 0.05+0.9*r.Float64(), 0.05+0.9*r.Float64(), 0.05+0.9*r.Float64())
		}
	})
}

// TestMediaRanges: the service worker answers ranges as a server of files does, and says of what it sends what it is, and that it may do
// nothing; when it has been stopped and started again, too. Nobody else's address answers.
func TestMediaRanges(t *testing.T) {
	sometimes(t)
	wav := filepath.Join(t.TempDir(), "tone.wav")
	command(t, nil, "ffmpeg", "-loglevel", "error", "-f", "lavfi", "-i", "sine=frequency=440", "-t", "40", wav)
	sound, err := os.ReadFile(wav)
	must(t, err)
	s := newSite(t)
	share := s.sealThings(t, 0, thing{"a.wav", "text/html", sound}, thing{"b.txt", "", []byte("b")})
	someEngine(t, func(t *testing.T, engine string) {
		b := launch(t, engine, webdriver.Options{Prefs: map[string]any{"dom.serviceWorkers.idle_timeout": 2000, "dom.serviceWorkers.idle_extended_timeout": 1000}})
		open(t, b, share, "ready")
		must(t, b.WaitForElement("[data-hook=preview]", patience))
		look(t, b, "a.wav")
		shown(t, b)
		for i, pause := range []time.Duration{0, 5 * time.Second} {
			time.Sleep(pause) // in which Firefox stops the service worker
			v, err := b.Eval(`const out=[],u=document.querySelector('.stage audio').src;for(const r of ['bytes=0-9','bytes=-10','bytes=1000000-','bytes=2097100-2097200','','bytes=99999999-','bytes=x']){
				const x=await fetch(u,r?{headers:{Range:r}}:{}),c=new Uint8Array(await x.arrayBuffer()),h=x.headers;
				out.push([r,x.status,c.length,h.get('Content-Length'),h.get('Content-Range'),c.reduce((n,x)=>(n*31+x)>>>0,0)].join(' '));
				if(h.get('Content-Type')!=='audio/wav'||h.get('X-Content-Type-Options')!=='nosniff'||h.get('Content-Security-Policy')!=="sandbox; default-src 'none'"||h.get('Accept-Ranges')!=='bytes'||
					h.get('Cross-Origin-Resource-Policy')!=='same-origin'||h.get('Cache-Control')!=='no-store')out.push([...h].join())}
				return out.join('\n')`)
			must(t, err)
			n := len(sound)
			hash := func(p []byte) (h uint32) {
				for _, c := range p {
					h = h*31 + uint32(c)
				}
				return h
			}
			part := func(asked string, from, to int) string {
				return fmt.Sprintf("%s 206 %d %d bytes %d-%d/%d %d\n", asked, to-from, to-from, from, to-1, n, hash(sound[from:to]))
			}
			whole := func(asked string) string { return fmt.Sprintf("%s 200 %d %d  %d\n", asked, n, n, hash(sound)) }
			want := part("bytes=0-9", 0, 10) + part("bytes=-10", n-10, n) + part("bytes=1000000-", 1000000, n) + part("bytes=2097100-2097200", 2097100, 2097201) +
				whole("") + fmt.Sprintf("bytes=99999999- 416 0  bytes */%d 0\n", n) + whole("bytes=x")
			if got := v.(string) + "\n"; got != want {
				t.Errorf("%s, %d: got\n%s\nwant\n%s", engine, i, got, want)
			}
		}
		v, err := b.Eval(`const u=document.querySelector('.stage audio').src;const status=u=>fetch(u).then(r=>r.status,()=>410); // Firefox does not wait so long here
			const other=await status('/media/'+crypto.randomUUID());document.querySelector('[data-hook=viewer-close]').click();return [other,await status(u)].join()`)
		if err != nil || v != "410,410" {
			t.Errorf("%s: nobody's address, and one that was left: %v, %v", engine, v, err)
		}
	})
}

// TestPlayAnew: a service worker that the browser has stopped, and that has forgotten everything, goes on with what plays.
func TestPlayAnew(t *testing.T) {
	sometimes(t)
	mp4 := filepath.Join(t.TempDir(), "film.mp4")
	film(t, mp4, 16<<20, "-c:v", "libx264", "-preset", "ultrafast", "-b:v", "1500k", "-pix_fmt", "yuv420p", "-g", "20", "-c:a", "aac")
	s := newSite(t)
	b := launch(t, "firefox", webdriver.Options{Prefs: map[string]any{"dom.serviceWorkers.idle_timeout": 2000, "dom.serviceWorkers.idle_extended_timeout": 1000}})
	open(t, b, s.sealPaths(t, mp4), "ready")
	must(t, b.WaitForElement("[data-hook=preview]", patience))
	look(t, b, "film.mp4")
	shown(t, b)
	wantPlays(t, b, "film")
	time.Sleep(5 * time.Second)
	wantPlays(t, b, "film")
}

// TestPlayFromMemory: where there is no service worker little things play all the same, and of larger ones it is said what to do.
func TestPlayFromMemory(t *testing.T) {
	sometimes(t)
	wav := filepath.Join(t.TempDir(), "tone.wav")
	command(t, nil, "ffmpeg", "-loglevel", "error", "-f", "lavfi", "-i", "sine=frequency=440", "-t", "90", wav)
	sound, err := os.ReadFile(wav)
	must(t, err)
	s := newSite(t)
	s.tap.set(func(tp *tap) { tp.inject = noServiceWorker })
	share := s.sealThings(t, 0, thing{"a.wav", "", sound}, thing{"b.mp4", "", append([]byte("\x00\x00\x00\x18ftypisom"), make([]byte, 65<<20)...)})
	someEngine(t, func(t *testing.T, engine string) {
		b := launch(t, engine, webdriver.Options{})
		open(t, b, share, "ready")
		must(t, b.WaitForElement("[data-hook=preview]", patience))
		look(t, b, "a.wav")
		shown(t, b)
		if v, err := b.Eval("return document.querySelector('.stage audio').src.startsWith('blob:')"); err != nil || v != true {
			t.Errorf("it is not in memory: %v, %v", v, err)
		}
		wantPlays(t, b, "tone")
		must(t, b.Click("[data-hook=viewer-next]"))
		wantViewer(t, b, "error", "video")
		if _, text := shown(t, b); !strings.Contains(text, "ordinary window") {
			t.Errorf("it says %q", text)
		}
	})
}
