package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode"

	"filippo.io/age"

	"github.com/sealpost/sealpost/server/api"
	"github.com/sealpost/sealpost/wasm/internal/report"
)

// maxSealed is far above what servers take of one report.
const maxSealed = 1 << 20

// opener opens reports and prints them.
type opener struct {
	identities     []age.Identity
	json, keys     bool
	stdout         io.Writer
	opened, closed int // how many could be opened, and how many could not
}

// openedReport is a line with -json.
type openedReport struct {
	ID       string         `json:"id,omitempty"` // this and the next two as the server knows them, if it told
	Share    string         `json:"share,omitempty"`
	Received int64          `json:"received,omitempty"`
	Report   *report.Report `json:"report,omitempty"`
	Error    string         `json:"error,omitempty"` // instead of report
}

// runReport is sealpost report. It returns the exit status.
func runReport(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	o := &opener{stdout: stdout}
	fs := flag.NewFlagSet("report", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.Usage = func() { fmt.Fprint(stderr, usage) }
	file := fs.String("i", "", "")
	fs.BoolVar(&o.json, "json", false, "")
	fs.BoolVar(&o.keys, "keys", false, "")
	if err := fs.Parse(args); err != nil || *file == "" {
		if err == nil {
			fs.Usage()
		}
		return 2
	}
	err := o.readIdentities(*file, stdin)
	if err == nil {
		err = o.openAll(ctx, fs.Args(), stdin)
	}
	if err == nil && o.closed > 0 {
		err = fmt.Errorf("failed to open %d of %d reports", o.closed, o.opened+o.closed)
	}
	if err != nil {
		fmt.Fprintln(stderr, "sealpost:", err)
		return 1
	}
	return 0
}

// readIdentities reads a file as age-keygen makes it.
func (o *opener) readIdentities(name string, stdin io.Reader) error {
	in := stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return fmt.Errorf("failed to read identities: %w", err)
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, maxSealed))
	if err != nil {
		return fmt.Errorf("failed to read identities: %w", err)
	}
	if bytes.HasPrefix(text, []byte("age-encryption.org/")) || bytes.HasPrefix(text, []byte("-----BEGIN AGE ENCRYPTED FILE-----")) {
		return errors.New("failed to read identities: the file is sealed itself; open it with age -d, and give its output to -i -")
	}
	if o.identities, err = age.ParseIdentities(bytes.NewReader(text)); err != nil {
		return fmt.Errorf("failed to read identities: %w", err)
	}
	return nil
}

func (o *opener) openAll(ctx context.Context, names []string, stdin io.Reader) error {
	if len(names) == 0 {
		return o.openFrom(ctx, stdin)
	}
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			return fmt.Errorf("failed to read reports: %w", err)
		}
		err = o.openFrom(ctx, f)
		f.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// openFrom reads one sealed report, or JSON lines of them.
func (o *opener) openFrom(ctx context.Context, in io.Reader) error {
	r := bufio.NewReader(in)
	if head, _ := r.Peek(len(api.AgeMagic)); string(head) == api.AgeMagic {
		sealed, err := io.ReadAll(io.LimitReader(r, maxSealed))
		if err != nil {
			return fmt.Errorf("failed to read report: %w", err)
		}
		return o.open(api.SealedReport{Sealed: sealed})
	}
	for lines := json.NewDecoder(r); ; {
		var line api.SealedReport
		switch err := lines.Decode(&line); {
		case err == io.EOF:
			return nil
		case err != nil:
			return fmt.Errorf("failed to read reports: %w", err)
		case ctx.Err() != nil:
			return ctx.Err()
		}
		if err := o.open(line); err != nil {
			return err
		}
	}
}

// open prints one report, or why it cannot be opened: whoever has a link can send what is none, which must not hide the others. Its error
// is that of writing.
func (o *opener) open(line api.SealedReport) error {
	out := openedReport{ID: line.ID, Share: line.Share, Received: line.Received}
	r, err := report.Open(line.Sealed, o.identities...)
	if err != nil {
		o.closed++
		out.Error = err.Error()
	} else {
		o.opened++
		out.Report = r
	}
	if o.json {
		err = json.NewEncoder(o.stdout).Encode(out)
	} else {
		_, err = io.WriteString(o.stdout, o.text(out))
	}
	if err != nil {
		return fmt.Errorf("failed to write: %w", err)
	}
	return nil
}

// text is a report for people. The share is the one that the server keeps it for, if that is known: whoever reported it has proven to have
// its link. What they wrote is proven by nothing, and they know that it will stand on a terminal.
func (o *opener) text(r openedReport) string {
	var b strings.Builder
	when := "some time"
	if r.Received != 0 {
		when = time.Unix(r.Received, 0).UTC().Format(time.RFC3339)
	}
	if r.Report == nil {
		fmt.Fprintf(&b, "%s  share %s: %s\n\n", when, printable(r.Share), printable(r.Error))
		return b.String()
	}
	share := r.Share
	if share == "" {
		share = r.Report.Share
	}
	fmt.Fprintf(&b, "%s  share %s: %s\n", when, printable(share), r.Report.Reason)
	if share != r.Report.Share {
		fmt.Fprintf(&b, "  the report itself names another share, %s\n", printable(r.Report.Share))
	}
	for _, key := range []struct{ name, value string }{{"link", r.Report.Link}, {"identity", r.Report.Identity}} {
		switch {
		case key.value != "" && o.keys:
			fmt.Fprintf(&b, "  %s: %s\n", key.name, printable(key.value))
		case key.value != "":
			fmt.Fprintf(&b, "  %s: there is one, -keys shows it\n", key.name)
		}
	}
	if r.Report.Words != "" {
		for line := range strings.SplitSeq(strings.ReplaceAll(r.Report.Words, "\r\n", "\n"), "\n") {
			fmt.Fprintf(&b, "  > %s\n", printable(line))
		}
	}
	b.WriteByte('\n')
	return b.String()
}

// printable escapes what would do something to a terminal, or to the order of what is read.
func printable(text string) string {
	var b strings.Builder
	for _, r := range text {
		if unicode.IsPrint(r) {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, `\u{%X}`, r)
		}
	}
	return b.String()
}
