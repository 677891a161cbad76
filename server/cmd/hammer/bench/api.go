package main

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"

	"github.com/sealpost/sealpost/server/api"
)

// share is one on a sealpostd, with its secrets.
type share struct {
	id                    string
	owner, access, reader []byte
}

func newToken() []byte {
	token := make([]byte, api.TokenSize)
	rand.Read(token)
	return token
}

func text(token ...[]byte) string {
	var all []byte
	for _, t := range token {
		all = append(all, t...)
	}
	return base64.RawURLEncoding.EncodeToString(all)
}

// part is a body that the server takes for sealed, and its digest.
type part struct {
	bytes  []byte
	digest [sha256.Size]byte
}

func newPart(size int64) part {
	b := make([]byte, size)
	rand.Read(b)
	copy(b, api.AgeMagic)
	return part{b, sha256.Sum256(b)}
}

func (p part) contentDigest() string {
	return "sha-256=:" + base64.StdEncoding.EncodeToString(p.digest[:]) + ":"
}

// caller makes calls of the API that are not measured.
type caller struct{ *http1 }

func newCaller(addr string) (caller, error) {
	c, err := dial(target{addr: addr})
	if err != nil {
		return caller{}, err
	}
	return caller{c.(*http1)}, nil
}

const sharesPath = "/api/v1/shares"

func (c caller) json(method, path, bearer string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	answer, err := c.send(method, path, bearer, "", "application/json", body)
	if err == nil && out != nil {
		err = json.Unmarshal(answer, out)
	}
	return err
}

func (c caller) create(size, downloads int64) (share, error) {
	s := share{owner: newToken(), access: newToken(), reader: newToken()}
	var got api.Share
	err := c.json(http.MethodPost, sharesPath, "", api.CreateShare{Access: api.HashToken(s.access), Reader: api.HashToken(s.reader),
		Owner: api.HashToken(s.owner), Size: size, Lifetime: 3600, MaxDownloads: downloads}, &got)
	s.id = got.ID
	return s, err
}

func (s share) path(rest string) string { return sharesPath + "/" + s.id + rest }

func (s share) partPath(n int64) string { return s.path(fmt.Sprintf("/parts/%d", n)) }

// file is where part n of s lies below the folder of blobs.
func (s share) file(n int64, p part) string {
	return filepath.Join("/", s.id[:2], s.id, fmt.Sprintf("%d-%s", n, hex.EncodeToString(p.digest[:])))
}

// publish makes a share that consists of p, and returns it with a ticket.
func (c caller) publish(p part) (share, string, error) {
	size := int64(len(p.bytes))
	s, err := c.create(size, 0)
	if err != nil {
		return s, "", err
	}
	manifest, ticket := newPart(100), newToken()
	err = errors.Join(
		c.put(s.path("/manifest"), text(s.owner), manifest.contentDigest(), manifest.bytes),
		c.put(s.partPath(1), text(s.owner), p.contentDigest(), p.bytes),
		c.json(http.MethodPost, s.path("/complete"), text(s.owner), api.CompleteShare{Size: size, Parts: 1}, nil),
		c.json(http.MethodPost, s.path("/downloads"), text(s.access, s.reader), api.TakeDownload{Ticket: api.HashToken(ticket)}, nil))
	return s, text(ticket), err
}

func (c caller) delete(s share) error {
	_, err := c.send(http.MethodDelete, s.path(""), text(s.owner), "", "application/octet-stream", nil)
	return err
}
