package static_test

import (
	"bytes"
	"encoding/json"
	"html"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/sealpost/sealpost/static"
	"github.com/sealpost/sealpost/static/statictest"
)

// At a base path every address that a page has is below it, and no script knows an address but by that. Files and scripts are the same.
func TestBasePath(t *testing.T) {
	at, err := static.Render(static.FS, "/a/send")
	if err != nil {
		t.Fatal(err)
	}
	root, err := static.Render(static.FS, "")
	if err != nil {
		t.Fatal(err)
	}
	if len(at.Files) != len(root.Files) || at.Build == root.Build {
		t.Errorf("%d files of build %s, and at the root %d of %s", len(at.Files), at.Build, len(root.Files), root.Build)
	}
	links := regexp.MustCompile(`(?:href|src|action)="([^"#]*)"`)
	absolute := regexp.MustCompile("[\"'`]/(?:api|d|b|mine|how|sw|save|media)(?:[/?\"'`]|$)")
	for name, data := range at.Files {
		switch path.Ext(name) {
		case ".html":
			found := links.FindAllSubmatch(data, -1)
			for _, m := range found {
				if link := string(m[1]); link != "" && !strings.HasPrefix(link, "/a/send/") && !strings.HasPrefix(link, "https://") {
					t.Errorf("%s has the address %q", name, link)
				}
			}
			if len(found) < 5 {
				t.Errorf("%s has %d addresses", name, len(found))
			}
		case ".js":
			if strings.Contains(name, "/bin/") {
				continue
			}
			if at := absolute.Find(data); at != nil {
				t.Errorf("%s has the address %s", name, at)
			}
			if other := root.Files[strings.Replace(name, "b/"+at.Build, "b/"+root.Build, 1)]; !bytes.Equal(other, data) {
				t.Errorf("%s is another at the root", name)
			}
		}
	}
}

func TestRender(t *testing.T) {
	site := render(t, static.FS)
	files := site.Files
	below := "b/" + site.Build + "/"
	for _, name := range []string{"en/index.html", "en/download.html", "en/how.html", "en/mine.html", below + "worker/sw.js", below + "js/upload.js", below + "js/download.js", below + "js/mine.js",
		below + "worker/upload.js", below + "worker/load.js", below + "css/page.css", below + "css/late/how.css", below + "img/seal.svg"} {
		if len(files[name]) == 0 {
			t.Errorf("%s is missing", name)
		}
	}
	for name := range files {
		if !strings.HasPrefix(name, below) && path.Ext(name) != ".html" {
			t.Errorf("%s has an address that does not belong to the build", name)
		}
	}
	if again := render(t, static.FS).Files; !maps.EqualFunc(files, again, bytes.Equal) {
		t.Error("the same sources make another site")
	}
	for _, page := range []string{"en/index.html", "en/download.html", "en/how.html", "en/mine.html"} {
		for _, match := range regexp.MustCompile(`(?:src|href)="/(b/[^"]*)"`).FindAllSubmatch(files[page], -1) {
			if _, ok := files[string(match[1])]; !ok {
				t.Errorf("%s refers to %s, which there is not", page, match[1])
			}
		}
		scripted := page != "en/how.html" // which is to be read, and has none
		deep := "js/trusted.js"
		if page == "en/mine.html" {
			deep = "js/vault.js"
		}
		if bytes.Contains(files[page], []byte(`<script type="module" src="/`+below+deep+`"`)) != scripted || bytes.Contains(files[page], []byte("<script")) != scripted {
			t.Errorf("%s does not ask for its modules, or has any", page)
		}
	}
}

// Whatever changes, the build changes: an address never has two contents.
func TestBuild(t *testing.T) {
	before := render(t, static.FS)
	builds := map[string]string{before.Build: "nothing"}
	for name, change := range map[string][2]string{
		"pages/index.html":    {"</main>", "!</main>"},
		"pages/partials.html": {`{{define "seal"}}`, `{{define "seal"}}!`},
		"messages/en.json":    {"Seal and send", "Seal and post"},
		"js/dom.js":           {"// @ts-check", "// @ts-check!"},
		"worker/serve.js":     {"// @ts-check", "// @ts-check!"},
		"worker/sw.js":        {"// @ts-check", "// @ts-check!"},
		"css/base.css":        {"@layer", " @layer"},
		"css/late/how.css":    {"@layer", " @layer"},
		"img/seal.svg":        {"<svg", "<svg "},
		"bin/new.wasm":        {"", "new"},
	} {
		sources := copied(t, static.FS)
		if sources[name] == nil {
			sources[name] = &fstest.MapFile{}
		}
		sources[name].Data = bytes.Replace(sources[name].Data, []byte(change[0]), []byte(change[1]), 1)
		site := render(t, sources)
		if same, ok := builds[site.Build]; ok {
			t.Errorf("after a change of %s the build is as after a change of %s", name, same)
		}
		builds[site.Build] = name
		for address := range site.Files {
			if _, ok := before.Files[address]; ok && strings.HasPrefix(address, "b/") {
				t.Errorf("after a change of %s both builds have %s", name, address)
			}
		}
	}
}

// A language is only a file away.
func TestAnotherLanguage(t *testing.T) {
	sources := copied(t, static.FS)
	he, err := statictest.Pseudo(contents(t, static.FS)["messages/en.json"], "he", "rtl")
	if err != nil {
		t.Fatal(err)
	}
	sources["messages/he.json"] = &fstest.MapFile{Data: he}
	site := render(t, sources)
	for _, page := range []string{"index.html", "download.html", "how.html", "mine.html"} {
		html := string(site.Files["he/"+page])
		if !strings.Contains(html, `<html lang="he" dir="rtl"`) {
			t.Errorf("%s begins with %.200s", page, html)
		}
		if left := english(html); len(left) > 0 {
			t.Errorf("%s has English left: %q", page, left)
		}
	}
	if html := string(site.Files["en/index.html"]); !strings.Contains(html, `<html lang="en" dir="ltr"`) {
		t.Error("English has changed")
	}
}

// A page waits for its HTML, so that has the messages of its own scripts only.
func TestOwnMessages(t *testing.T) {
	site := render(t, static.FS)
	of := regexp.MustCompile(`<template id="messages">(.*)</template>`)
	for page, groups := range map[string][2]string{"index.html": {"upload", "download"}, "download.html": {"download", "mine"}, "mine.html": {"mine", "upload"}} {
		match := of.FindStringSubmatch(string(site.Files["en/"+page]))
		var messages map[string]any
		if match == nil || json.Unmarshal([]byte(html.UnescapeString(match[1])), &messages) != nil {
			t.Fatalf("%s has no messages", page)
		}
		if messages[groups[0]] == nil || messages["errors"] == nil || messages[groups[1]] != nil {
			t.Errorf("%s has messages of %v", page, slices.Collect(maps.Keys(messages)))
		}
		for _, group := range []string{"unfinished", "preview", "passing", "report", "stock", "how"} {
			if messages[group] != nil {
				t.Errorf("%s has messages of %s, which are to come later or not at all", page, group)
			}
		}
	}
	var late map[string]map[string]any
	err := json.Unmarshal(site.Files["b/"+site.Build+"/messages/en/unfinished.json"], &late)
	if err != nil || len(late) != 1 || late["unfinished"]["continue"] == nil {
		t.Errorf("the late messages are %v, %v", late, err)
	}
}

func TestRefusedMessages(t *testing.T) {
	whole := string(contents(t, static.FS)["messages/en.json"])
	for what, change := range map[string][2]string{
		"missing":                {`"reload": "Reload"`, `"relaod": "Reload"`},
		"placeholder is missing": {"{reload}", ""},
		"placeholder is unknown": {"{reload}", "{reloading}"},
		"brace":                  {"{reload}", "{reload} }"},
		"plural is none":         {`{ "one": "{n} file", "other": "{n} files" }`, `"{n} files"`},
		"plural is unknown":      {`{ "one": "{n} file", "other": "{n} files" }`, `{ "1": "{n} file", "other": "{n} files" }`},
		"direction":              {`"ltr"`, `"up"`},
		"language":               {`"lang": "en"`, `"lang": "de"`},
		"number":                 {`"Reload"`, `1`},
		"syntax":                 {`"Reload"`, `"Reload`},
	} {
		sources := copied(t, static.FS)
		other := strings.Replace(whole, `"lang": "en"`, `"lang": "fr"`, 1)
		if what == "language" {
			other = whole
		}
		if !strings.Contains(other, change[0]) {
			t.Fatalf("%s: the messages have no %s", what, change[0])
		}
		sources["messages/fr.json"] = &fstest.MapFile{Data: []byte(strings.Replace(other, change[0], change[1], 1))}
		if _, err := static.Render(sources, ""); err == nil || !strings.Contains(err.Error(), "fr.json") {
			t.Errorf("%s: %v", what, err)
		}
	}
	for what, change := range map[string][3]string{
		"page without its message": {"pages/index.html", `{{say "upload.start"}}`, `{{say "upload.begin"}}`},
		"slot without its control": {"pages/index.html", `{{define "upload.terms.sentence.expiry"}}`, `{{define "upload.terms.sentence.expire"}}`},
		"page without an asset":    {"pages/partials.html", "css/page.css", "css/paper.css"},
		"script without a module":  {"js/dom.js", "// @ts-check", "import \"./doom.js\";"},
	} {
		sources := copied(t, static.FS)
		data := string(sources[change[0]].Data)
		if !strings.Contains(data, change[1]) {
			t.Fatalf("%s: no %s in %s", what, change[1], change[0])
		}
		sources[change[0]].Data = []byte(strings.Replace(data, change[1], change[2], 1))
		if _, err := static.Render(sources, ""); err == nil {
			t.Errorf("%s is taken", what)
		}
	}
}

// Every message that pages and scripts use exists, and every one that exists is used.
func TestMessagesAreUsed(t *testing.T) {
	var tree map[string]any
	if err := json.Unmarshal(contents(t, static.FS)["messages/en.json"], &tree); err != nil {
		t.Fatal(err)
	}
	keys := paths("", tree)
	used := map[string]bool{}
	literal := regexp.MustCompile("(say\\(|say |sentence )?[\"`]([a-z]+(?:\\.(?:[a-zA-Z-]+|\\$\\{[^}]*\\}))*)[\"`]")
	hole := regexp.MustCompile(`\$\{[^}]*\}`)
	for name, source := range contents(t, static.FS) {
		if !strings.HasPrefix(name, "js/") && !strings.HasPrefix(name, "pages/") {
			continue
		}
		for _, match := range literal.FindAllSubmatch(source, -1) {
			pattern := regexp.MustCompile("^" + strings.ReplaceAll(hole.ReplaceAllString(string(match[2]), "<>"), "<>", "[a-zA-Z-]+") + "$")
			found := false
			for _, key := range keys {
				if pattern.MatchString(key) {
					used[key], found = true, true
				}
			}
			if !found && len(match[1]) > 0 {
				t.Errorf("%s says %s, which there is not", name, match[2])
			}
		}
	}
	for _, key := range keys {
		if !used[key] {
			t.Errorf("nothing says %s", key)
		}
	}
}

func TestCompress(t *testing.T) {
	site := render(t, static.FS)
	if err := site.Compress(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"en/index.html", "b/" + site.Build + "/worker/sw.js", "b/" + site.Build + "/js/upload.js"} {
		plain := len(site.Files[name])
		for _, suffix := range []string{".br", ".gz"} {
			if n := len(site.Files[name+suffix]); n == 0 || n >= plain*2/3 {
				t.Errorf("%s%s has %d bytes instead of %d", name, suffix, n, plain)
			}
		}
	}
}

func render(t *testing.T, sources fs.FS) *static.Site {
	t.Helper()
	site, err := static.Render(sources, "")
	if err != nil {
		t.Fatal(err)
	}
	return site
}

func contents(t *testing.T, fsys fs.FS) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for name, file := range copied(t, fsys) {
		files[name] = file.Data
	}
	return files
}

// copied leaves the engine out, which takes time.
func copied(t *testing.T, fsys fs.FS) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{}
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.Contains(name, "engine.wasm") {
			return err
		}
		data, err := fs.ReadFile(fsys, name)
		files[name] = &fstest.MapFile{Data: data}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// english returns what a person might read in html and has ASCII letters.
func english(html string) (left []string) {
	_, html, _ = strings.Cut(html, "<head>")
	html = regexp.MustCompile(`(?s)<template.*?</template>`).ReplaceAllString(html, "") // for scripts
	html = regexp.MustCompile(`(?s)<code>.*?</code>`).ReplaceAllString(html, "")        // for shells
	for _, attribute := range regexp.MustCompile(`(?:aria-label|placeholder|title|alt|content)="([^"]*)"`).FindAllStringSubmatch(html, -1) {
		left = append(left, attribute[1])
	}
	left = append(left, regexp.MustCompile(`<[^>]*>`).Split(html, -1)...)
	technical := []string{"width=device-width, initial-scale=1", "light dark", "noindex", "age-encryption.org/v1"}
	return slices.DeleteFunc(left, func(s string) bool {
		return !regexp.MustCompile(`[A-Za-z]`).MatchString(s) || slices.Contains(technical, s)
	})
}

func paths(prefix string, tree map[string]any) (all []string) {
	for key, node := range tree {
		if below, ok := node.(map[string]any); ok && below["other"] == nil {
			all = append(all, paths(prefix+key+".", below)...)
		} else {
			all = append(all, prefix+key)
		}
	}
	return all
}
