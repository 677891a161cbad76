// Command sealpost opens shares, and reports of them, without a browser.
//
//	sealpost key LINK
//
// prints the age identity of a share, with which the stock tools open it:
//
//	sealpost key 'https://HOST/d/ID#KEY' > key.txt
//	age -d -i key.txt content.age | zstd -d | tar x
//
//	sealpost token LINK
//
// prints the token that a recipient shows the server to download the share, with curl for example. The server sees it; it opens
// nothing that is sealed.
//
// LINK is the whole link or what follows its "#". If the link needs a password, it is read from the environment variable
// SEALPOST_PASSWORD, or else asked for on the terminal, or else it is the first line of standard input. It is never an argument,
// because other users of the machine see those. They see the link as well: where that matters, give "-" and put it on the first line
// of standard input.
//
//	sealpost report -i IDENTITIES [FILE …]
//
// opens reports of abuse, for the operator whose age recipient they were sealed to. IDENTITIES is a file as age-keygen makes it, also
// with -pq. A FILE, or else standard input, is what sealpostd admin reports has written: JSON lines, or a single sealed report. So the key
// need never be on the server:
//
//	ssh HOST sealpostd admin reports -data DATA | sealpost report -i reports.txt
//
// Whether the key of the share is in a report is told; -keys shows it. -json prints one object a line, with everything.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"sync/atomic"

	"github.com/sealpost/sealpost/wasm/internal/link"
)

const usage = `usage: sealpost key LINK
       sealpost token LINK
       sealpost report -i IDENTITIES [-keys] [-json] [FILE ...]

key prints the age identity of a share, which opens it; token prints what a recipient shows the server to download it.
LINK is the whole link, or what follows its "#", or "-" to read it from standard input. If a password is needed, it is taken
from SEALPOST_PASSWORD, or asked for.

report opens reports of abuse: what sealpostd admin reports writes, from FILE or standard input, with the operator's age identities.
-keys shows the keys of shares that are in them; -json prints everything, one object a line.
`

// commands are what can be printed of a link's keys.
var commands = map[string]func(*link.Keys) string{
	"key":   func(k *link.Keys) string { return k.Identity },
	"token": (*link.Keys).Bearer,
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Getenv, os.Stdin, os.Stdout, os.Stderr))
}

// run returns the exit status: 2 if it was called in a wrong way.
func run(ctx context.Context, args []string, getenv func(string) string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) == 1 && (args[0] == "help" || args[0] == "-h" || args[0] == "--help") {
		fmt.Fprint(stdout, usage)
		return 0
	}
	if len(args) > 0 && args[0] == "report" {
		return runReport(ctx, args[1:], stdin, stdout, stderr)
	}
	if len(args) != 2 || commands[args[0]] == nil {
		fmt.Fprint(stderr, usage)
		return 2
	}
	done := make(chan error, 1)
	in := newInput(stdin, stderr)
	go func() { done <- reveal(commands[args[0]], args[1], getenv, in, stdout) }()
	var err error
	select {
	case err = <-done:
	case <-ctx.Done():
		in.restore()
		err = ctx.Err()
	}
	if err != nil {
		fmt.Fprintln(stderr, "sealpost:", err)
		return 1
	}
	return 0
}

// reveal prints what is wanted of the keys of a link.
func reveal(wanted func(*link.Keys) string, text string, getenv func(string) string, in *input, stdout io.Writer) error {
	if text == "-" {
		line, err := in.line()
		if err != nil {
			return fmt.Errorf("failed to read link: %w", err)
		}
		text = line
	}
	l, err := link.Parse(fragment(text))
	if err != nil {
		return fmt.Errorf("failed to read link: %w", err)
	}
	password := ""
	if l.NeedsPassword() {
		if password = getenv("SEALPOST_PASSWORD"); password == "" {
			if password, err = in.secret("Password: "); err != nil {
				return fmt.Errorf("failed to read password: %w", err)
			}
		}
	}
	k, err := l.Unlock(password)
	if err != nil {
		return fmt.Errorf("failed to open link: %w", err)
	}
	if _, err := fmt.Fprintln(stdout, wanted(k)); err != nil {
		return fmt.Errorf("failed to write: %w", err)
	}
	return nil
}

// fragment takes the fragment out of a link.
func fragment(text string) string {
	text = strings.TrimSpace(text)
	if _, after, ok := strings.Cut(text, "#"); ok {
		text = after
	}
	if plain, err := url.PathUnescape(text); err == nil { // some programs escape what they pass on
		text = plain
	}
	return text
}

// input is where questions are asked.
type input struct {
	file   *os.File // nil if it is not a terminal
	r      *bufio.Reader
	prompt io.Writer
	show   atomic.Pointer[func()] // undoes hide; whoever takes it calls it
}

func newInput(stdin io.Reader, prompt io.Writer) *input {
	in := &input{r: bufio.NewReader(stdin), prompt: prompt}
	if f, ok := stdin.(*os.File); ok && isTerminal(f) {
		in.file = f
	}
	return in
}

// line reads a line. The last one need not end.
func (in *input) line() (string, error) {
	s, err := in.r.ReadString('\n')
	s = strings.TrimRight(s, "\r\n")
	if s == "" && err == io.EOF {
		return "", errors.New("nothing on standard input")
	}
	if err == io.EOF {
		err = nil
	}
	return s, err
}

// secret reads a line and, on a terminal, does not show it.
func (in *input) secret(prompt string) (string, error) {
	if in.file == nil {
		return in.line()
	}
	fmt.Fprint(in.prompt, prompt)
	defer fmt.Fprintln(in.prompt)
	show, err := hide(in.file)
	if err != nil {
		return "", err
	}
	in.show.Store(&show)
	defer in.restore()
	return in.line()
}

// restore lets the terminal show what is typed again. It may be called while secret waits.
func (in *input) restore() {
	if show := in.show.Swap(nil); show != nil {
		(*show)()
	}
}
