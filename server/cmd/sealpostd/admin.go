package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/sealpost/sealpost/server/internal/admin"
	"github.com/sealpost/sealpost/server/internal/values"
	"github.com/sealpost/sealpost/server/store/fsck"
)

const adminUsage = `usage: sealpostd admin COMMAND [FLAGS] [ID …]

  list          all shares: sizes, times, counts              -json
  inspect ID    one share                                     -json
  take-down ID  remove shares and delete their bytes
  reports       sealed reports as JSON lines, for the tool    -out FOLDER for a file each
                sealpost report on the machine with the key
  drain         have the running server take no new shares    -undo, -wait TIME
  fsck          hold bytes against records; ends with 1 if    -quick, -young TIME, -json
                anything is wrong (-json: a summary is last)

All but drain work on the stores, beside a running server or without one; drain needs -private-listen. Give the flags of the
server, or its environment, so that it is the same stores that are meant. Flags come before an ID, and one that begins with a
dash comes after --.
`

// adminCommand is what one command takes, and does.
type adminCommand struct {
	json, undo, quick bool
	out               string
	wait, young       values.Duration

	options        *options
	stdout, stderr io.Writer
}

// orphansDue is when bytes without a record should have been swept: they are after an hour, by a sweep every hour.
const orphansDue = time.Hour + orphansEvery

// adminCommands are the commands, the flags of each, and how many ids it takes: 0, 1 or, with -1, some.
var adminCommands = map[string]struct {
	run   func(*adminCommand, context.Context) error
	flags []string
	ids   int
}{
	"list":      {(*adminCommand).list, []string{"json"}, 0},
	"inspect":   {(*adminCommand).inspect, []string{"json"}, 1},
	"take-down": {(*adminCommand).takeDown, nil, -1},
	"reports":   {(*adminCommand).reports, []string{"out"}, 0},
	"drain":     {(*adminCommand).drain, []string{"undo", "wait"}, 0},
	"fsck":      {(*adminCommand).fsck, []string{"quick", "young", "json"}, 0},
}

// runAdmin runs a command of the operator.
func runAdmin(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) error {
	if len(args) == 0 || slices.Contains([]string{"help", "-h", "-help", "--help"}, args[0]) {
		_, err := io.WriteString(stdout, adminUsage)
		return err
	}
	command, ok := adminCommands[args[0]]
	if !ok {
		return fmt.Errorf("there is no command %q; sealpostd admin lists them", args[0])
	}
	c := &adminCommand{young: values.Duration(orphansDue), stdout: stdout, stderr: stderr}
	var flags *flag.FlagSet
	o, err := parseOptions(args[1:], getenv, stdout, func(fs *flag.FlagSet) {
		c.register(fs, command.flags)
		flags = fs
	})
	switch {
	case errors.Is(err, flag.ErrHelp):
		_, err := io.WriteString(stdout, adminUsage)
		return err
	case command.ids != 0 && isUnknownFlag(err):
		return errors.Join(err, errDash)
	case err != nil:
		return err
	}
	if err := checkIDs(flags, args, o.rest); err != nil {
		return err
	}
	if n := len(o.rest); command.ids >= 0 && n != command.ids || command.ids < 0 && n == 0 {
		return fmt.Errorf("%s takes %s, and not %d arguments", args[0], map[int]string{-1: "some ids", 0: "no ids", 1: "one id"}[command.ids], n)
	}
	c.options = o
	return command.run(c, ctx)
}

var errDash = errors.New("if it is an id, put -- before it")

func isUnknownFlag(err error) bool {
	return errors.Is(err, errUsage) && (strings.HasPrefix(err.Error(), "flag provided but not defined") || strings.HasPrefix(err.Error(), "bad flag syntax"))
}

// checkIDs refuses what package flag leaves among the ids at the end of args: flags behind one, and what may be an id or not.
func checkIDs(flags *flag.FlagSet, args, ids []string) error {
	if n := len(args) - len(ids); args[n-1] == "--" {
		return nil
	}
	for _, id := range ids {
		name, _, _ := strings.Cut(strings.TrimLeft(id, "-"), "=")
		switch {
		case !strings.HasPrefix(id, "-"):
		case flags.Lookup(name) != nil:
			return fmt.Errorf("%s is behind an id: flags come before ids", id)
		default:
			return fmt.Errorf("%s begins with a dash: %w, or before the first one", id, errDash)
		}
	}
	return nil
}

// register adds the flags of a command to those of the server.
func (c *adminCommand) register(fs *flag.FlagSet, names []string) {
	for _, name := range names {
		switch name {
		case "json":
			fs.BoolVar(&c.json, name, false, "write one JSON object a line")
		case "out":
			fs.StringVar(&c.out, name, "", "`folder` to write a file for each report to")
		case "undo":
			fs.BoolVar(&c.undo, name, false, "take new shares again")
		case "wait":
			fs.Var(&c.wait, name, "`time` to wait until no request is left")
		case "quick":
			fs.BoolVar(&c.quick, name, false, "do not read bytes, only look for them and count them")
		case "young":
			fs.Var(&c.young, name, "`age` up to which bytes without a record are in flight, or left to a sweep")
		}
	}
}

// with runs f on the stores.
func (c *adminCommand) with(ctx context.Context, f func(*admin.Admin) error) error {
	blobs, err := c.options.stores.attachBlobs(ctx, c.options.limits.minFree)
	if err != nil {
		return fmt.Errorf("failed to open parts: %w", err)
	}
	defer blobs.Close()
	meta, err := c.options.stores.attachMeta(ctx)
	if err != nil {
		return fmt.Errorf("failed to open records: %w", err)
	}
	err = f(&admin.Admin{Blobs: blobs, Meta: meta, Now: time.Now, Out: c.stdout, JSON: c.json})
	if cerr := meta.Close(); cerr != nil {
		err = errors.Join(err, fmt.Errorf("failed to close records: %w", cerr))
	}
	return err
}

func (c *adminCommand) list(ctx context.Context) error {
	return c.with(ctx, func(a *admin.Admin) error { return a.List(ctx) })
}

func (c *adminCommand) inspect(ctx context.Context) error {
	return c.with(ctx, func(a *admin.Admin) error { return a.Inspect(ctx, c.options.rest[0]) })
}

// takeDown goes on with the others when one fails.
func (c *adminCommand) takeDown(ctx context.Context) error {
	return c.with(ctx, func(a *admin.Admin) error {
		var errs []error
		for _, id := range c.options.rest {
			errs = append(errs, a.TakeDown(ctx, id))
		}
		return errors.Join(errs...)
	})
}

func (c *adminCommand) reports(ctx context.Context) error {
	return c.with(ctx, func(a *admin.Admin) error {
		if c.out != "" {
			return a.ReportFiles(ctx, c.out)
		}
		return a.Reports(ctx)
	})
}

// fsck prints what is found, and then what was looked at: apart from it for people, and for programs as the last line.
func (c *adminCommand) fsck(ctx context.Context) error {
	return c.with(ctx, func(a *admin.Admin) error {
		lines := json.NewEncoder(c.stdout)
		sum, err := fsck.Run(ctx, fsck.Config{Blobs: a.Blobs, Meta: a.Meta, Now: a.Now, Quick: c.quick,
			Young: time.Duration(c.young), Settle: 2 * time.Second,
			Found: func(f fsck.Finding) {
				switch {
				case c.json:
					lines.Encode(f)
				case f.Part != nil:
					fmt.Fprintf(c.stdout, "%s: share %s, part %d: %s\n", f.Kind, f.Share, *f.Part, f.Detail)
				case f.Share != "":
					fmt.Fprintf(c.stdout, "%s: share %s: %s\n", f.Kind, f.Share, f.Detail)
				default:
					fmt.Fprintf(c.stdout, "%s: %s\n", f.Kind, f.Detail)
				}
			}})
		if err != nil {
			return err
		}
		if c.json {
			err = lines.Encode(fsckSummary{"summary", sum})
		} else {
			_, err = fmt.Fprintf(c.stderr, "%d shares with %d parts of %d bytes, and %d files, %d of them without a record yet\n",
				sum.Shares, sum.Parts, sum.Bytes, sum.Objects, sum.Young)
		}
		if sum.Findings > 0 {
			return fmt.Errorf("%d found wrong", sum.Findings)
		}
		return err
	})
}

// fsckSummary is a line among those of findings, which it is told from by its kind.
type fsckSummary struct {
	Kind string `json:"kind"`
	fsck.Summary
}

// drain asks the running server, and with -wait goes on asking until it has nothing to do.
func (c *adminCommand) drain(ctx context.Context) error {
	if c.options.privateListen == "" {
		return errors.New("failed to drain: the server has no private listener; give it, and this command, -private-listen")
	}
	method := http.MethodPost
	if c.undo {
		method = http.MethodDelete
	}
	state, err := c.askDrain(ctx, method)
	deadline := time.Now().Add(time.Duration(c.wait))
	for err == nil && state.InFlight > 0 && time.Now().Before(deadline) {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
		state, err = c.askDrain(ctx, http.MethodGet)
	}
	if err != nil {
		return fmt.Errorf("failed to drain: %w", err)
	}
	what := "taking new shares"
	if state.Draining {
		what = "draining"
	}
	fmt.Fprintf(c.stdout, "%s, %d requests in flight\n", what, state.InFlight)
	if c.wait > 0 && state.InFlight > 0 {
		return fmt.Errorf("failed to drain: %d requests are left", state.InFlight)
	}
	return nil
}

func (c *adminCommand) askDrain(ctx context.Context, method string) (drainState, error) {
	ctx, cancel := context.WithTimeout(ctx, healthAfter)
	defer cancel()
	var state drainState
	resp, err := askLocal(ctx, method, c.options.privateListen, "/drain", nil)
	if err != nil {
		return state, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return state, fmt.Errorf("%s answers %s", c.options.privateListen, resp.Status)
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1000)).Decode(&state); err != nil {
		return state, fmt.Errorf("%s answers, but not as sealpostd does: %w", c.options.privateListen, err)
	}
	return state, nil
}
