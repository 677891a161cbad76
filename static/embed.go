// Package static is the page: plain HTML, CSS and ES modules, served as they are. bin holds what the build puts there, the
// engine and Go's loader for it; in a fresh clone it is empty and everything still compiles.
//
// js runs in the page, worker in workers, sw.js in the service worker; js/api.js and js/types.d.ts serve all of them. Types
// are JSDoc, checked by tsc with one configuration for each realm (npm run check); no tool touches what is served.
package static

import "embed"

//go:embed index.html download.html sw.js css/*.css js/*.js worker/*.js img all:bin
var FS embed.FS
