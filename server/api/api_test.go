package api_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/sealpost/sealpost/server/api"
)

var update = flag.Bool("update", false, "write the golden files")

func ptr(v int64) *int64 { return &v }

// The wire form of each type. A change to these files is a change of the protocol.
func TestGolden(t *testing.T) {
	hash := api.HashToken(make([]byte, api.TokenSize))
	golden(t, "config", api.Config{Build: "v1.2.3", Now: 1700000000, MaxShareSize: 1 << 38, MaxManifestSize: api.MaxManifestSize,
		Lifetimes: []int64{300, 86400}, DefaultLifetime: 86400, MaxLifetime: 86400, MaxDownloads: 100,
		ReportRecipient: "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj",
		Uploads:         api.UploadsToken})
	golden(t, "create-share", api.CreateShare{Access: hash, Reader: api.HashToken([]byte("reader")),
		Owner:    api.HashToken([]byte("owner")),
		Password: true, Size: 123456789, Lifetime: 86400, MaxDownloads: 5})
	share := api.Share{ID: "AAAAAAAAAAAAAAAA", State: api.StateReady, Password: true, Size: 123456789, PartSize: 8 << 20, Parts: 15,
		Now: 1700000010, Created: 1700000000, Expires: 1700086405, Lifetime: 86400, MaxDownloads: 5, Left: ptr(0), Taken: ptr(5)}
	golden(t, "share-owner", share)
	share.State, share.Parts, share.Left, share.Taken, share.MaxDownloads = api.StateOpen, 0, nil, nil, 0
	golden(t, "share-reader", share)
	share.Direct = true
	golden(t, "share-direct", share)
	golden(t, "parts", api.Parts{State: api.StateOpen, PartSize: 8 << 20, Size: 123456789, Manifest: true, Count: 4,
		Ranges: [][2]int64{{1, 3}, {7, 7}}})
	golden(t, "parts-none", api.Parts{State: api.StateOpen, PartSize: 8 << 20, Size: 1, Ranges: [][2]int64{}})
	golden(t, "direct-part", api.DirectPart{Size: 8 << 20, Digest: hash})
	golden(t, "direct-put", api.Direct{Method: "PUT", URL: "https://s3.example/bucket/AAAAAAAAAAAAAAAA/1-00?X-Amz-Signature=00",
		Headers: map[string]string{"If-None-Match": "*"}, Expires: 1700000910})
	golden(t, "direct-get", api.Direct{Method: "GET", URL: "https://s3.example/bucket/AAAAAAAAAAAAAAAA/1-00?X-Amz-Signature=00",
		Headers: map[string]string{}, Expires: 1700000310})
	golden(t, "complete-share", api.CompleteShare{Size: 123456789, Parts: 15})
	golden(t, "take-download", api.TakeDownload{Ticket: hash})
	golden(t, "update-share", api.UpdateShare{Lifetime: ptr(3600), MaxDownloads: ptr(0)})
	golden(t, "update-share-nothing", api.UpdateShare{})
}

func TestGoldenProblems(t *testing.T) {
	for _, code := range api.Codes() {
		p := *api.NewProblem(code)
		switch code {
		case api.CodeWrongPassword:
			p.TriesLeft = ptr(0)
		case api.CodeTooManyTries, api.CodeTooManyRequests, api.CodeNotReady, api.CodeDailyShares, api.CodeDailyBytes, api.CodeTooManyParts,
			api.CodeBusy:
			p.RetryAfter = 42
		case api.CodeIncomplete:
			p.Missing = [][2]int64{{0, 0}, {3, 5}}
		}
		golden(t, "problem-"+string(code), p)
	}
}

// Every golden file belongs to something.
func TestNoStrayGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/problem-*.json")
	if err != nil || len(files) != len(api.Codes()) {
		t.Errorf("%d golden problems for %d codes, %v", len(files), len(api.Codes()), err)
	}
	if !slices.Contains(api.Codes(), api.CodeNotFound) {
		t.Error("codes lack not-found")
	}
}

// golden compares v with its file, and reads the file back to the same value.
func golden[T any](t *testing.T, name string, v T) {
	t.Helper()
	got, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	file := filepath.Join("testdata", name+".json")
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s: got\n%swant\n%s", name, got, want)
	}
	var back T
	if err := json.Unmarshal(want, &back); err != nil || !reflect.DeepEqual(back, v) {
		t.Errorf("%s: reads back as %+v, %v", name, back, err)
	}
}

func TestHashText(t *testing.T) {
	h := api.HashToken([]byte("token"))
	var back api.Hash
	if err := back.UnmarshalText([]byte(h.String())); err != nil || back != h || len(h.String()) != 43 {
		t.Errorf("%s: %v", h, err)
	}
	text := h.String()
	for _, bad := range []string{"", text[:42], text + "A", text + "=", text + "\n", text[:20] + "\r\n" + text[20:]} {
		if back.UnmarshalText([]byte(bad)) == nil {
			t.Errorf("%q: accepted", bad)
		}
	}
}
