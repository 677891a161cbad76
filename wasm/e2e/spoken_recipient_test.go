package e2e

// spokenRecipient is what is read where a link is opened.
var spokenRecipient = map[string]string{
	"download-locked": `
		heading "This share has a password" level 1 (= Whoever sent it to you has it.)
		text "Whoever sent it to you has it."
		textbox "Password" focused
		button "Open"
		text "* of 5 downloads left sealed today, * open for * more * sealed"
		text "Opened in your browser with the key in your link. This server sees when and how much, never what, and never the key. How this works"
		link "How this works"
		button "Report this"`,
	"download-wrong-password": `
		heading "This share has a password" level 1 (= Whoever sent it to you has it.)
		text "Whoever sent it to you has it."
		alert "That is not the password. 9 more tries before this share rests for a while."
		textbox "Password" = ••••••••••• focused invalid (= That is not the password. 9 more tries before this share rests for a while.)
		button "Show the password"
		button "Open"
		text "* of 5 downloads left sealed today, * open for * more * sealed"
		text "Opened in your browser *"
		link "How this works"
		button "Report this"`,
	"download-report-locked": `
		dialog "Report this share"
		heading "Report this share" level 2 focused
		text "Your report is sealed *"
		radio "It is harmful software"
		radio "It deceives people, to get at their money or passwords"
		radio "It shows abuse of children"
		radio "It breaks the law in another way"
		radio "Something else"
		textbox "In your own words, if you like"
		text "You have not opened it, *"
		button "Seal and send the report"
		button "Cancel"`,
	"download-report": `
		dialog "Report this share"
		heading "Report this share" level 2
		text "Your report is sealed *"
		radio "It is harmful software"
		radio "It deceives people, to get at their money or passwords" checked focused
		radio "It shows abuse of children"
		radio "It breaks the law in another way"
		radio "Something else"
		textbox "In your own words, if you like"
		checkbox "Let the operator open it: put the key into the report" (= Then they can open all of this share, *)
		text "Then they can open all of this share, *"
		button "Seal and send the report"
		button "Cancel"`,
	"download-report-sent": `
		dialog "The report was sent"
		heading "The report was sent" level 2 focused
		text "Thank you. *"
		button "Close"`,
	"download-by-hand": `
		dialog "Open it without this page"
		heading "Open it without this page" level 2 focused
		text "A share is two age files, *"
		heading "1. This share" level 3
		button "Copy the commands of “1. This share”"
		text "The last command waits for the whole link: *"
		heading "2. Its key" level 3
		button "Copy the commands of “2. Its key”"
		text "The program sealpost *"
		text "Without that program, *"
		button "Show the key"` + spokenCommands,
	"download-by-hand-key": `
		dialog "Open it without this page"
		heading "Open it without this page" level 2
		text "A share is two age files, *"
		heading "1 and 2. This share and its key" level 3
		button "Copy the commands of “1 and 2. This share and its key”"
		text "Whoever has this can open all of the share. *"
		button "Hide the key" focused` + spokenCommands,
	"download-ready": `
		heading "You have been sent 3 files" level 1 focused (= Sealed *. Open for * more.)
		text "Sealed *. Open for * more."
		text "The harbour, as promised. See you on Sunday!"
		button "Copy the note"` + spokenEntries + `
		button "Save all, 13.9 MB"
		*
		text "Opened in your browser *"
		link "How this works"
		button "Open it without this page"
		button "Report this"`,
	"preview-asking": `
		dialog "Letter to Grüße 📮.txt"
		heading "Letter to Grüße 📮.txt" level 2 focused
		button "Close"
		text "To look at something takes one of the 5 downloads that are left. *"
		button "Take it and look"
		button "Previous"
		button "Next"
		button "Save Letter to Grüße 📮.txt"`,
	"preview-text": `
		dialog "Letter to Grüße 📮.txt"
		heading "Letter to Grüße 📮.txt" level 2 focused
		button "Close"
		region "Letter to Grüße 📮.txt"
		button "Previous"
		button "Next"
		button "Copy the text"
		status
		button "Save Letter to Grüße 📮.txt"`,
	"download-pictures": `
		heading "You have been sent 5 files" level 1 focused (= Sealed *. Open for * more.)
		text "Sealed *. Open for * more."
		list "Pictures"
		button "Preview harbour 1.png"
		button "Preview harbour 2.png"
		button "Preview harbour 3.png"
		button "Preview harbour 4.png"
		list "What is in it"
		*
		text "Opened in your browser *"
		link "How this works"
		button "Open it without this page"
		button "Report this"`,
	"preview-picture": `
		dialog "harbour 2.png"
		heading "harbour 2.png" level 2 focused
		button "Close"
		image "harbour 2.png"
		button "Previous"
		button "Next"
		button "Save harbour 2.png"`,
	"preview-refused": `
		dialog "lie.png"
		heading "lie.png" level 2 focused
		button "Close"
		alert "This is not what its name says, so it is not shown. *"
		button "Previous"
		button "Next"
		button "Save lie.png"`,
	"download-kept": `
		heading "You have been sent 3 files" level 1 focused (= Sealed *. Open for * more.)
		text "Sealed *. Open for * more."
		text "The harbour, as promised. See you on Sunday!"
		button "Copy the note"` + spokenEntries + `
		text "* of 13.9 MB had arrived before. It is on this device, still sealed, and need not be sent again."
		button "Delete it"
		button "Continue"
		*
		text "Opened in your browser *"
		link "How this works"
		button "Open it without this page"
		button "Report this"`,
	"download-receiving": `
		heading "Opening the seal" level 1 focused (= It is checked and opened on its way to your disk. Keep this page open.)
		text "It is checked and opened on its way to your disk. Keep this page open."
		text "The harbour, as promised. See you on Sunday!"
		button "Copy the note"
		text "* %"
		text "* MB of 13.9 MB"
		*
		progressbar "Progress"
		*
		button "Cancel"
		text "Opened in your browser *"
		link "How this works"`,
	"download-done": `
		heading "Saved" level 1 focused (= It is whole: every byte was checked. *)
		text "It is whole: every byte was checked. *"
		text "The harbour, as promised. See you on Sunday!"
		button "Copy the note"` + spokenEntries + `
		button "Save again"
		*
		text "Opened in your browser *"
		link "How this works"
		button "Open it without this page"
		button "Report this"`,
	"download-tree": `
		heading "You have been sent the folder “harbour”" level 1 (= Sealed *. Open for * more.)
		text "Sealed *. Open for * more."
		searchbox "Find by name"
		combobox "Order" = As it was sent
		list "What is in it"
		listitem "list of all that is in it.txt 150 kB *"
		button "Preview list of all that is in it.txt"
		button "Save list of all that is in it.txt"
		listitem "3 files 450 kB"
		button "letters" expanded focused
		button "Save the folder letters"
		listitem "Grüße an Ömer.pdf 150 kB *"
		button "Preview Grüße an Ömer.pdf"
		button "Save Grüße an Ömer.pdf"
		listitem "2 files 300 kB"
		button "old" collapsed
		button "Save the folder old"
		listitem "empty folder/ folder *"
		listitem "70 files 1.40 MB"
		button "photographs" collapsed
		button "Save the folder photographs"
		*
		text "74 files *"
		button "Save all, *"
		*
		text "Opened in your browser *"
		link "How this works"
		button "Open it without this page"
		button "Report this"`,
	"download-tree-nothing": `
		heading "You have been sent the folder “harbour”" level 1 (= Sealed *. Open for * more.)
		text "Sealed *. Open for * more."
		searchbox "Find by name" = nothing like it
		combobox "Order" = As it was sent
		status "Nothing in it is called “nothing like it”."
		text "74 files *"
		button "Save all, *"
		*
		text "Opened in your browser *"
		link "How this works"
		button "Open it without this page"
		button "Report this"`,
	"download-tree-found": `
		heading "You have been sent the folder “harbour”" level 1 (= Sealed *. Open for * more.)
		text "Sealed *. Open for * more."` + spokenFound + `
		button "Save all, *"
		*
		text "Opened in your browser *"
		link "How this works"
		button "Open it without this page"
		button "Report this"*`,
	"download-tree-done": `
		heading "Saved" level 1 focused (= It is whole: every byte was checked. *)
		text "It is whole: every byte was checked. *"` + spokenFound + `
		button "Save all, *"
		text "* were fetched for this *"
		text "Opened in your browser *"
		link "How this works"
		button "Open it without this page"
		button "Report this"`,
	"download-loading": `
		heading "Opening" level 1 (= Reading what is in the envelope.)
		text "Reading what is in the envelope."
		text "Opened in your browser *"
		link "How this works"`,
	"download-gone": `
		heading "There is nothing here" level 1 focused
		text "*expired*"
		text "Check that you copied the whole link. *"`,
	"download-bad-link": `
		heading "This link is not complete" level 1 focused
		alert "The part after # is missing, *"
		textbox "If it was sent to you another way, paste it here"
		button "Open"`,
	"download-bad-rest": `
		heading "This link is not complete" level 1
		alert "The part after # is missing, *"
		textbox "If it was sent to you another way, paste it here" = the words focused invalid (= That is not the missing part. *)
		alert "That is not the missing part. *"
		button "Open"`,
	"download-waiting": `
		heading "Still being sent" level 1 focused (= The sender’s upload has only just begun. *)
		text "The sender’s upload has only just begun. *"
		text "Opened in your browser *"
		link "How this works"`,
	"download-following": `
		heading "You have been sent 3 files" level 1 focused (= It is still being sent, and at least * % has arrived. You can save it already, *)
		text "It is still being sent, and at least * % has arrived. You can save it already, *"
		text "The harbour, as promised. See you on Sunday!"
		button "Copy the note"
		list "What is in it"
		listitem "Letter to Grüße 📮.txt 40.0 kB"
		button "Preview Letter to Grüße 📮.txt" disabled
		button "Save Letter to Grüße 📮.txt" disabled
		listitem "שלום עולם مرحبا.txt 1.23 MB"
		button "Preview שלום עולם مرحبا.txt" disabled
		button "Save שלום עולם مرحبا.txt" disabled
		listitem "photographs of the harbour, July.zip 12.6 MB"
		button "Save photographs of the harbour, July.zip" disabled
		*
		button "Save all, 13.9 MB"
		text "any number of downloads * single files can be saved when all has arrived"
		text "Opened in your browser *"
		link "How this works"`,
	"download-following-receiving": `
		heading "Opening the seal" level 1 focused (= It is still being sent, and saved as it comes: *)
		text "It is still being sent, and saved as it comes: it is whole when the sender has finished. Keep this page open."
		text "The harbour, as promised. See you on Sunday!"
		button "Copy the note"
		text "* %"
		text "* MB of 13.9 MB"
		text "Waiting for the sender. This goes on by itself."
		text "the sender has sent * %"
		progressbar "Progress"
		status "Waiting for the sender. This goes on by itself."
		button "Cancel"
		text "Opened in your browser *"
		link "How this works"`,
	"download-given-up": `
		heading "The sender has given up" level 1 focused
		*
		text "It was taken back before all of it was sent, *"
		text "Ask the sender to send it again. That is another link."`,
	"download-note": `
		heading "You have been sent a note" level 1 focused (= It is opened and shown when you say so. Sealed *, open for * more.)
		text "It is opened and shown when you say so. Sealed *, open for * more."
		button "Show the note"
		text "it can be shown once, and then nothing is left of it"
		text "Opened in your browser *"
		link "How this works"
		button "Open it without this page"
		button "Report this"`,
	"download-note-shown": `
		heading "The note" level 1 focused (= Nothing of it is left on the server. *)
		text "Nothing of it is left on the server. *"
		text "The harbour, as promised. See you on Sunday!"
		button "Copy the note"
		text "Opened in your browser *"
		link "How this works"`,
	"download-one-file": `
		heading "You have been sent “Letter to Grüße 📮.txt”" level 1 focused (= Sealed *. Open for * more.)
		text "Sealed *. Open for * more."
		button "Save, 40.0 kB"
		button "Preview"
		*
		text "Opened in your browser *"
		link "How this works"
		button "Open it without this page"
		button "Report this"`,
	"download-damaged": `
		heading "This is damaged" level 1 focused
		alert "What arrived is not what was sealed, *"
		button "Try again"`,
	"download-too-many-tries": `
		heading "This share has a password" level 1 (= Whoever sent it to you has it.)
		text "Whoever sent it to you has it."
		alert "Too many wrong passwords. This share rests now; you can try again in 1 hour."
		textbox "Password" = ••••••••••• focused (= Too many wrong passwords. *)
		button "Show the password"
		button "Open in *:*" disabled
		text "* of 5 downloads left sealed today, * open for * more * sealed"
		text "Opened in your browser *"
		link "How this works"
		button "Report this"`,
	"download-unreachable": `
		heading "The server cannot be reached" level 1 focused
		alert "It may be down, or this device may have no connection. *"
		button "Try again"`,
}

const (
	spokenCommands = `
		heading "3. What is in it" level 3
		button "Copy the commands of “3. What is in it”"
		*
		heading "7. Say that it is saved" level 3
		button "Copy the commands of “7. Say that it is saved”"
		text "A share without downloads left *"
		button "Close"`
	spokenEntries = `
		list "What is in it"
		listitem "Letter to Grüße 📮.txt 40.0 kB"
		button "Preview Letter to Grüße 📮.txt"
		button "Save Letter to Grüße 📮.txt"
		listitem "שלום עולם مرحبا.txt 1.23 MB"
		button "Preview שלום עולם مرحبا.txt"
		button "Save שלום עולם مرحبا.txt"
		listitem "photographs of the harbour, July.zip 12.6 MB"
		button "Save photographs of the harbour, July.zip"
		*`
)

const spokenFound = `
		searchbox "Find by name" = invoice
		combobox "Order" = As it was sent
		status "2 of 75 have that in their names."
		list "What is in it"
		listitem "harbour/letters/old/ invoice 10.txt 150 kB *"
		button "Preview harbour/letters/old/invoice 10.txt"
		button "Save harbour/letters/old/invoice 10.txt"
		listitem "harbour/letters/old/ invoice 9.txt 150 kB *"
		button "Preview harbour/letters/old/invoice 9.txt"
		button "Save harbour/letters/old/invoice 9.txt"
		text "74 files *"`
