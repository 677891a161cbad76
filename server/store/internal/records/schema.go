package records

import (
	"embed"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

// schema has a file for each version, NNNN_name.sql, which makes it of the one before, and the first of an empty database. A file
// that was released does not change any more. wrangler reads them too.
//
//go:embed schema/*.sql
var schema embed.FS

// SchemaVersion is the version that Upgrade leads to, and the newest that this build knows.
const SchemaVersion = 5

// Upgrade returns the statements that bring a database of some version, 0 being an empty one, to SchemaVersion. They are to be run as
// one step.
func Upgrade(version int64) (string, error) {
	names, err := fs.Glob(schema, "schema/*.sql") // in the order of their names
	if err != nil {
		return "", fmt.Errorf("failed to list schema: %w", err)
	}
	var all strings.Builder
	for i, name := range names {
		number, _, _ := strings.Cut(strings.TrimPrefix(name, "schema/"), "_")
		if n, err := strconv.Atoi(number); err != nil || n != i+1 {
			return "", fmt.Errorf("failed to read schema: %s is not version %d", name, i+1)
		}
		if int64(i) < version {
			continue
		}
		text, err := fs.ReadFile(schema, name)
		if err != nil {
			return "", fmt.Errorf("failed to read schema: %w", err)
		}
		all.Write(text)
	}
	if len(names) != SchemaVersion {
		return "", fmt.Errorf("failed to read schema: it has %d versions, want %d", len(names), SchemaVersion)
	}
	return all.String(), nil
}
