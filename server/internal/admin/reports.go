package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/sealpost/sealpost/server/api"
	"github.com/sealpost/sealpost/server/store"
)

// reports calls each with every report that is kept, in the order in which they came.
func (a *Admin) reports(ctx context.Context, each func(store.Report) error) error {
	var last store.Report
	for {
		next, err := a.Meta.Reports(ctx, last, page)
		if err != nil {
			return fmt.Errorf("failed to read reports: %w", err)
		}
		if len(next) == 0 {
			return nil
		}
		for _, r := range next {
			if err := each(r); err != nil {
				return fmt.Errorf("failed to write report: %w", err)
			}
		}
		last = next[len(next)-1]
	}
}

// Reports writes the reports as they are kept, sealed, one [api.SealedReport] a line.
func (a *Admin) Reports(ctx context.Context) error {
	out := json.NewEncoder(a.Out)
	return a.reports(ctx, func(r store.Report) error {
		return out.Encode(api.SealedReport{ID: r.ID, Share: r.Share, Received: r.Received, Sealed: r.Sealed})
	})
}

// ReportFiles writes each report into a file of its own, TIME-SHARE-ID.age, in a folder, which is made if it is missing. Those that are
// there already it leaves as they are, and so they may be fetched again and again.
func (a *Admin) ReportFiles(ctx context.Context, dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("failed to create folder: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("failed to open folder: %w", err)
	}
	defer root.Close()
	written := 0
	err = a.reports(ctx, func(r store.Report) error {
		name := fmt.Sprintf("%s-%s-%s.age", time.Unix(r.Received, 0).UTC().Format("20060102T150405Z"), r.Share, r.ID)
		if _, err := root.Lstat(name); err == nil {
			return nil
		}
		written++
		return writeFile(root, name, r.Sealed)
	})
	if err == nil {
		_, err = fmt.Fprintf(a.Out, "%d new reports\n", written)
	}
	return err
}

// writeFile makes a file that has all of data or is not there.
func writeFile(root *os.Root, name string, data []byte) error {
	temp := name + ".part"
	f, err := root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err == nil {
		err = root.Rename(temp, name)
	}
	if err != nil {
		if rerr := root.Remove(temp); rerr != nil && !errors.Is(rerr, fs.ErrNotExist) {
			err = errors.Join(err, rerr)
		}
	}
	return err
}
