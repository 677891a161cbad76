package e2e

// spokenSender is what is read where something is sent, and in the list of what was.
var spokenSender = map[string]string{
	"upload-idle": `
		heading "Send files that only the recipient can open" level 1 (= They are compressed and sealed before they leave this device.)
		text "They are compressed and sealed before they leave this device."
		text "Drop files or a folder here"
		button "Choose files"
		button "Choose a folder"
		textbox "A note, sealed with the files"
		text "Keep it for _ , for _ , with _ . This browser _ ."
		combobox "Keep it for" = 1 day
		combobox "Downloads" = any number of downloads
		textbox "Password"
		combobox "What this browser does with the link" = keeps the link
		button "Seal and send" disabled
		text "Sealed in your browser. This server keeps the envelope, never the key. How this works"
		link "How this works"`,
	"upload-ready": `
		heading "Send files that only the recipient can open" level 1 (= *)
		text "They are compressed and sealed before they leave this device."` + spokenParcel + `
		textbox "Password" = •••••••••••
		button "Show the password"
		combobox "What this browser does with the link" = keeps the link
		status "3 files, 13.9 MB"
		button "Seal and send"
		text "Sealed in your browser.*"
		link "How this works"`,
	"upload-sending": `
		heading "Sealing your files" level 1 focused (= You can pass the link on now; *)
		text "You can pass the link on now; *"
		text "* %"
		text "* MB of 13.9 MB"
		*
		progressbar "Progress"
		textbox "The link" = http*
		button "Copy link"
		button "QR code"
		button "Mail" collapsed
		status "* percent*"
		button "Pause"
		button "Cancel"
		text "Sealed in your browser.*"
		link "How this works"`,
	"upload-paused": `
		heading "Sealing your files" level 1 (= You can pass the link on now; *)
		text "You can pass the link on now; *"
		text "* %"
		text "* MB of 13.9 MB"
		text "Paused. What has arrived waits on the server for a day."
		*
		progressbar "Progress"
		textbox "The link" = http*
		button "Copy link"
		button "QR code"
		button "Mail" collapsed
		status "Paused. What has arrived waits on the server for a day."
		button "Go on" focused
		button "Cancel"
		text "Sealed in your browser.*"
		link "How this works"`,
	"upload-unfinished": `
		heading "Send files that only the recipient can open" level 1 (= *)
		text "They are compressed and sealed before they leave this device."` + spokenOffer + `
		text "Drop files or a folder here"
		button "Choose files"
		*
		text "Sealed in your browser.*"
		link "How this works"`,
	"upload-unfinished-missing": `
		heading "Send files that only the recipient can open" level 1 (= *)
		text "They are compressed and sealed before they leave this device."` + spokenOffer + `
		alert "2 more are needed, such as *"
		text "Drop files or a folder here"
		button "Choose files"
		*
		text "Sealed in your browser.*"
		link "How this works"`,
	"upload-done": `
		heading "Sealed and posted" level 1 focused (= Anyone with this link and the password can open it until tomorrow, *. Send the password another way.)
		text "Anyone with this link and the password can open it until tomorrow, *. Send the password another way."
		textbox "The link" = http*
		button "Copy link"
		button "QR code"
		button "Mail" collapsed
		text "3 files * 5 downloads with a password"
		text "The link is listed under My shares in this browser until it expires."
		link "My shares"
		button "Don’t keep it here"
		button "Send something else"
		text "Sealed in your browser.*"
		link "How this works"`,
	"upload-mail": `
		heading "Sealed and posted" level 1 (= *)
		text "Anyone with this link *"
		textbox "The link" = http*
		button "Copy link"
		button "QR code"
		button "Mail" expanded focused
		text "The mail says where it waits, *"
		text "#*"
		button "Copy this part"
		checkbox "Put the whole link into the mail" (= Servers read mail on its way, *)
		text "Servers read mail on its way, *"
		link "Write the mail"
		text "3 files * 5 downloads with a password"
		text "The link is listed under My shares in this browser until it expires."
		link "My shares"
		button "Don’t keep it here"
		button "Send something else"
		text "Sealed in your browser.*"
		link "How this works"`,
	"upload-mail-whole": `
		heading "Sealed and posted" level 1 (= *)
		text "Anyone with this link *"
		textbox "The link" = http*
		button "Copy link"
		button "QR code"
		button "Mail" expanded
		checkbox "Put the whole link into the mail" checked focused (= Servers read mail on its way, *)
		text "Servers read mail on its way, *"
		link "Write the mail"
		text "3 files * 5 downloads with a password"
		text "The link is listed under My shares in this browser until it expires."
		link "My shares"
		button "Don’t keep it here"
		button "Send something else"
		text "Sealed in your browser.*"
		link "How this works"`,
	"upload-qr": `
		dialog "Scan it to open it" (= This is the whole link, with its key: *)
		heading "Scan it to open it" level 2 focused
		im* "QR code of the link"
		text "This is the whole link, with its key: *"
		button "Close"
		button "Save as a picture"`,
	"upload-phrase": `
		heading "Send files that only the recipient can open" level 1 (= *)
		*
		combobox "Downloads" = 5 downloads
		textbox "Password" = *-*-*-*-*-* *
		button "Hide the password"
		combobox "What this browser does with the link" = keeps the link
		button "Suggest others"*
		text "*-*-*-*-*-*"
		status "6 words, drawn at random out of 1,296: 62 bits. *"
		button "Seal and send"
		text "Sealed in your browser.*"
		link "How this works"`,
	"upload-words": `
		heading "Sealed and posted" level 1 focused (= *)
		text "Anyone with this link and the password can open it until tomorrow, *. Send the password another way."
		textbox "The link" = http*
		button "Copy link"
		button "QR code"
		button "Mail" collapsed
		text "Send the link one way, the words another:"
		text "*-*-*-*-*-*"
		button "Copy the words"
		text "a note * 5 downloads with a password"
		text "The link is listed under My shares in this browser until it expires."
		link "My shares"
		button "Don’t keep it here"
		button "Send something else"
		text "Sealed in your browser.*"
		link "How this works"`,
	"mine-empty": `
		heading "No shares here" level 1 (= What you send from this browser is listed here until it expires: *)
		text "What you send from this browser is listed here until it expires: *"
		link "Send something"
		heading "How safe this list is" level 2
		text "The links are in this browser alone, *"
		text "On a device that is not yours, *"
		text "To have the list on another device, *"
		button "Add a saved list"
		text "This list is in your browser alone. *"
		link "How this works"`,
	"mine-ready": spokenMine + spokenShares + `
		heading "How safe this list is" level 2
		*
		button "Save the list"
		button "Add a saved list"
		button "Forget the whole list"
		text "This list is in your browser alone. *"
		link "How this works"`,
	"mine-terms": spokenMine + `
		*
		button "Change: Letter to Grüße 📮.txt and 2 more"
		*
		text "Keep it _ , for _ ."
		combobox "How long it is kept: Letter to Grüße 📮.txt and 2 more" = until tomorrow, * focused
		combobox "Downloads: Letter to Grüße 📮.txt and 2 more" = * more downloads
		button "Change it: Letter to Grüße 📮.txt and 2 more"
		button "Leave it: Letter to Grüße 📮.txt and 2 more"
		*
		text "This list is in your browser alone. *"
		link "How this works"`,
	"mine-export": spokenMine + `
		*
		button "Save the list"
		button "Add a saved list"
		button "Forget the whole list"
		textbox "A passphrase for the file" = ••••• focused invalid (= *)
		text "Whoever has the file and the passphrase has your links. *"
		textbox "The passphrase once more" (= *)
		button "Save the file"
		alert "Write at least 10 characters. *"
		text "This list is in your browser alone. *"
		link "How this works"`,
	"mine-unreachable": spokenMine + `
		alert "The server cannot be reached. * Until then, this is what the server said before."
		button "Ask again"
		list "What was sent"
		*
		text "This list is in your browser alone. *"
		link "How this works"`,
	"upload-full": `
		heading "The server is full" level 1 focused (= Nothing is lost: what you chose is still here.)
		text "Nothing is lost: what you chose is still here."` + spokenParcel + `
		textbox "Password" = •••••••••••
		button "Show the password"
		combobox "What this browser does with the link" = keeps the link
		alert "It has no room for this at the moment. *"
		button "Try again"
		text "Sealed in your browser.*"
		link "How this works"`,
	"upload-enough-today": `
		heading "That is enough for a day" level 1 focused (= Nothing is lost: what you chose is still here.)
		text "Nothing is lost: what you chose is still here."
		*
		alert "With this, more would come from your network than may in a day. Send less, or try again in 1 minute."
		button "Try again"
		text "Sealed in your browser.*"
		link "How this works"`,
	"upload-sign-in": `
		heading "Sign in to send" level 1 focused (= Nothing is lost: what you chose is still here.)
		text "Nothing is lost: what you chose is still here."
		*
		alert "Only those who are signed in may send here; receiving needs nothing. Sign in in another tab, then try again."
		button "Try again"
		text "Sealed in your browser.*"
		link "How this works"`,
	"upload-token": `
		heading "This server asks for an upload token" level 1 (= Nothing is lost: what you chose is still here.)
		text "Nothing is lost: what you chose is still here."
		*
		alert "Only those who have one may send here; receiving needs none. Ask whoever runs it for a token, and enter it here."
		textbox "Upload token" focused (= It is kept in this browser as links are: *)
		text "It is kept in this browser as links are: *"
		button "Send with this token"
		text "Sealed in your browser.*"
		link "How this works"`,
	"upload-token-malformed": `
		heading "This server asks for an upload token" level 1 (= *)
		*
		textbox "Upload token" = ••••••••••••••••• focused invalid (= That is no upload token. * It is kept in this browser as links are: *)
		text "It is kept in this browser as links are: *"
		alert "That is no upload token. One has 43 letters, digits, - or _."
		button "Send with this token"
		text "Sealed in your browser.*"
		link "How this works"`,
	"upload-over-a-limit": `
		heading "Send files that only the recipient can open" level 1 (= *)
		text "They are compressed and sealed before they leave this device."
		*
		textbox "Password"
		combobox "What this browser does with the link" = keeps the link
		status "3 files, 13.9 MB"
		alert "This is 13.9 MB, and the server takes up to 1.05 MB at once. *"
		button "Seal and send" disabled
		text "Sealed in your browser.*"
		link "How this works"`,
}

const (
	spokenOffer = `
		list "Unfinished"
		listitem *
		*
		button "Choose the files: Letter to Grüße 📮.txt and 2 more"
		button "Forget it: Letter to Grüße 📮.txt and 2 more"`
	spokenParcel = `
		list "What will be sent"
		listitem "Letter to Grüße 📮.txt 40.0 kB"
		button "Remove Letter to Grüße 📮.txt"
		listitem "שלום עולם مرحبا.txt 1.23 MB"
		button "Remove שלום עולם مرحبا.txt"
		listitem "photographs of the harbour, July.zip 12.6 MB"
		button "Remove photographs of the harbour, July.zip"
		text "3 files 13.9 MB"
		button "Add files"
		button "Add a folder"
		textbox "A note, sealed with the files" = The harbour, as promised. See you on Sunday!
		text "Keep it for _ , for _ , with _ . This browser _ ."
		combobox "Keep it for" = 1 day
		combobox "Downloads" = 5 downloads`
	spokenMine = `
		heading "My shares" level 1*(= What was sent from this browser, the newest first. *)
		text "What was sent from this browser, the newest first. *"`
	spokenShares = `
		list "What was sent"
		listitem "Letter to Grüße 📮.txt * Not all of it has been sent. *"
		text "Letter to Grüße 📮.txt*"
		text "Not all of it has been sent."
		text "3 files 13.9 MB sent today, *"
		button "Copy link: Letter to Grüße 📮.txt and 2 more"
		button "QR code: Letter to Grüße 📮.txt and 2 more"
		link "Go on sending: Letter to Grüße 📮.txt and 2 more"
		button "Forget: Letter to Grüße 📮.txt and 2 more"
		listitem "A note Taken back. *"
		text "A note"
		text "Taken back. The server has deleted it."
		text "sent today, *"
		button "Forget: A note" focused
		*`
)
