package static_test

import (
	"io/fs"
	"path"
	"testing"

	"github.com/sealpost/sealpost/static"
)

func TestFS(t *testing.T) {
	for _, name := range []string{
		"index.html", "download.html", "sw.js", "css/base.css", "js/upload.js", "js/download.js",
		"worker/upload.js", "worker/download.js", "worker/load.js", "img/seal.svg", "bin",
	} {
		f, err := static.FS.Open(name)
		if err != nil {
			t.Error(err)
			continue
		}
		f.Close()
	}
}

// What is not needed to run the page is not served.
func TestOnlyThePage(t *testing.T) {
	err := fs.WalkDir(static.FS, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		switch path.Ext(name) {
		case ".json", ".ts", ".go":
			t.Errorf("%s is embedded", name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
