package store_test

import (
	"strings"
	"testing"

	"github.com/sealpost/sealpost/server/store"
)

func TestKeyName(t *testing.T) {
	key := store.Key{Share: "abcDEF-_09", N: 4096, Digest: store.Hash{0xab, 31: 0x01}}
	digest := "ab" + strings.Repeat("00", 30) + "01"
	name := "abcDEF-_09/4096-" + digest
	if got := key.Name(); got != name {
		t.Errorf("got %s, want %s", got, name)
	}
	if got, ok := store.ParseKey(name); !ok || got != key {
		t.Errorf("parsed %v, %v", got, ok)
	}
	for _, other := range []string{"", "/", "abc", "abc/", "abc/1", "abc/1-", "abc/1-ab", "abc/x-" + digest, "abc/-1-" + digest,
		"abc/01-" + digest, "abc/+1-" + digest, "abc/1-" + strings.ToUpper(digest), "abc/1-" + digest + "0", "abc/1-" + digest + ".tmp",
		"abc/d/1-" + digest, "ab/1-" + digest, "a.c/1-" + digest, "../1-" + digest, " abc/1-" + digest, "abc/1-" + digest + "/"} {
		if _, ok := store.ParseKey(other); ok {
			t.Errorf("%q is taken for an object of ours", other)
		}
	}
}
