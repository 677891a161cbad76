package server

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/gorilla/mux"
	"github.com/sealpost/sealpost/server/api"
)

// routes is all that is answered but the pages, by who may call. HEAD is answered wherever GET is.
func (s *Server) routes() []route {
	const shares, share = "/api/v1/shares", "/api/v1/shares/{id}"
	return []route{
		// Anyone; making shares is what an operator may restrict.
		{"GET", "/api/v1/config", s.anyone(s.getConfig)},
		{"POST", shares, s.uploader(s.createShare)},

		// The owner: whoever made the share.
		{"PUT", share + "/manifest", s.owner(s.putManifest)},
		{"PUT", share + "/parts/{n}", s.owner(s.putPart)},
		{"POST", share + "/parts/{n}/direct", s.owner(s.sendDirect)}, // past this server, if its store lets clients
		{"PUT", share + "/parts/{n}/direct", s.owner(s.confirmDirect)},
		{"POST", share + "/complete", s.owner(s.completeShare)},
		{"PATCH", share, s.owner(s.updateShare)},
		{"DELETE", share, s.owner(s.deleteShare)},

		// Holders of the link, with or without the password, and the owner.
		{"GET", share, s.holder(s.getShare)},
		{"GET", share + "/parts", s.follower(s.getParts)},      // and tickets
		{"POST", share + "/reports", s.recipient(s.addReport)}, // and not the owner

		// Readers: link, and password if there is one.
		{"GET", share + "/manifest", s.reader(s.getManifest)},
		{"POST", share + "/downloads", s.reader(s.takeDownload)},

		// The ticket of one download.
		{"GET", share + "/parts/{n}", s.ticket(s.getPart)},
		{"GET", share + "/parts/{n}/direct", s.ticket(s.getDirect)},
		{"GET", share + "/content", s.ticket(s.getContent)},
		{"DELETE", share + "/downloads/current", s.presented(s.finishDownload)},

		// Whoever watches over the process.
		{"GET", "/healthz", s.anyone(s.getHealth)},
		{"GET", "/readyz", s.anyone(s.getReady)},
	}
}

type route struct {
	method, path string
	endpoint     endpoint
}

func (s *Server) router() http.Handler {
	byPath := make(map[string]map[string]endpoint)
	for _, r := range s.routes() {
		if byPath[r.path] == nil {
			byPath[r.path] = make(map[string]endpoint)
		}
		byPath[r.path][r.method] = r.endpoint
	}
	router := mux.NewRouter().SkipClean(true) // a redirect to a cleaned path would only hide mistakes
	for path, methods := range byPath {
		router.Handle(path, s.handler(path, s.choose(methods)))
	}
	nothing := s.handler("/api", func(*call) error { return api.NewProblem(api.CodeNotFound) })
	router.NotFoundHandler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.cfg.Pages == nil || r.URL.Path == "/api" || strings.HasPrefix(r.URL.Path, "/api/") {
			nothing.ServeHTTP(w, r)
			return
		}
		s.servePage(w, r)
	})
	return router
}

// choose picks the endpoint by method.
func (s *Server) choose(methods map[string]endpoint) endpoint {
	allow := slices.Collect(maps.Keys(methods))
	if methods[http.MethodGet] != nil {
		allow = append(allow, http.MethodHead)
	}
	slices.Sort(allow)
	return func(c *call) error {
		method := c.r.Method
		if method == http.MethodHead {
			method = http.MethodGet
		}
		if e := methods[method]; e != nil {
			return e(c)
		}
		c.w.Header().Set("Allow", strings.Join(allow, ", "))
		return api.NewProblem(api.CodeMethodNotAllowed)
	}
}
