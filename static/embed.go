// Package static is the page: HTML templates, CSS and plain ES modules. bin holds what the build puts there, the engine and
// Go's loader for it; in a fresh clone it is empty and everything still compiles.
//
// All text that a person reads is in messages, one file for each language. Its leaves are strings, in which {name} stands for
// a value or a control, and objects of strings by CLDR plural category, chosen by the value of n. Another language is another
// file, with the messages of en.json all; nothing else has to be touched.
//
// Render makes of these sources what a server serves: the pages with their text, so that they can be read before any script
// has arrived, and everything else as it is, at addresses that belong to this build alone. The whole graph of modules, the
// workers and the engine address each other relatively, and so a tab never mixes builds.
//
// The style sheets are served as one, but for those in css/late, which scripts ask for after the first paint (js/late.js), and pages
// that nobody is in a hurry to see. js runs in the page, worker in workers, the service worker among them; js/api.js and js/types.d.ts
// serve all of them. Types are JSDoc, checked by tsc with one configuration for each realm (npm run check); no tool touches what is
// served. words are those of pass phrases, as their list is published.
package static

import "embed"

// FS are the sources.
//
//go:embed pages/*.html messages/*.json css/*.css css/late/*.css js/*.js worker/*.js words/*.txt img all:bin
var FS embed.FS
