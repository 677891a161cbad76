package e2e

import "maps"

// spoken is what is read in each state, after the banner with its link.
var spoken = merged(spokenSender, spokenRecipient, map[string]string{
	"how": `
		heading "How this works" level 1
		text "Files are sealed in the sender’s browser *"
		heading "What happens to files" level 2
		*
		heading "Who holds which key" level 2
		*
		heading "What a password adds" level 2
		*
		heading "What the operator can and cannot see" level 2
		*
		heading "What is not promised" level 2
		*
		heading "How to check the page" level 2
		*
		heading "How to open a share with stock tools" level 2
		*
		link "published sources"
		text "That of age is specified at *"
		link "age-encryption.org/v1"`,
	"old-browser": `
		heading "This browser is too old for this page" level 1 focused
		alert "It lacks what sealing and opening need. *"`,
	"insecure": `
		heading "This page needs a protected connection" level 1 focused
		alert "It was opened over plain http, *"`,
	"piece-missing": `
		heading "A piece of this page is missing" level 1 focused
		alert "It did not arrive, *"
		button "Reload"`,
})

func merged(all ...map[string]string) map[string]string {
	m := make(map[string]string)
	for _, one := range all {
		maps.Copy(m, one)
	}
	return m
}
