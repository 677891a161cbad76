package server

import (
	"slices"
	"strconv"
	"strings"
)

// A weighted is something that a client accepts, in lower case, and how gladly: from 0, not at all, to 1.
type weighted struct {
	name   string
	weight float64
}

// accepted parses a header such as Accept-Language.
func accepted(header []string) (all []weighted) {
	for item := range strings.SplitSeq(strings.Join(header, ","), ",") {
		name, params, _ := strings.Cut(item, ";")
		w := weighted{strings.ToLower(strings.TrimSpace(name)), 1}
		if text, ok := strings.CutPrefix(strings.ReplaceAll(params, " ", ""), "q="); ok {
			q, err := strconv.ParseFloat(text, 64)
			if err != nil || !(q >= 0 && q <= 1) {
				q = 0
			}
			w.weight = q
		}
		all = append(all, w)
	}
	return all
}

// fallback is the language of those who name none that there is.
const fallback = "en"

// preferred returns the language, of those that there are, which suits an Accept-Language best.
func preferred(header []string, languages []string) string {
	best, weight := "", 0.0
	for _, w := range accepted(header) {
		if w.weight <= weight {
			continue
		}
		if language := closest(w.name, languages); language != "" {
			best, weight = language, w.weight
		}
	}
	switch {
	case best != "":
		return best
	case slices.Contains(languages, fallback):
		return fallback
	}
	return languages[0]
}

// closest returns the language that has the most subtags in common with wanted, from the first on, or "". A region is given
// up rather than the language: de-AT finds de, and pt finds pt-BR.
func closest(wanted string, languages []string) string {
	for wanted != "" {
		for _, language := range languages {
			if l := strings.ToLower(language); l == wanted || strings.HasPrefix(l, wanted+"-") {
				return language
			}
		}
		wanted = wanted[:max(0, strings.LastIndexByte(wanted, '-'))]
	}
	return ""
}
