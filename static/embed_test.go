package static_test

import (
	"io/fs"
	"path"
	"strings"
	"testing"

	"github.com/sealpost/sealpost/static"
)

// What is not needed to run the page is not served.
func TestOnlyThePage(t *testing.T) {
	err := fs.WalkDir(static.FS, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		switch path.Ext(name) {
		case ".json":
			if strings.HasPrefix(name, "messages/") {
				return nil
			}
			fallthrough
		case ".ts", ".go":
			t.Errorf("%s is embedded", name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
