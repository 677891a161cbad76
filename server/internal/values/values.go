// Package values is how durations and sizes are written in options and variables. Its types are flag values, whose errors say what they
// take. Package flag tells the value that was refused.
package values

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Duration is a time.Duration that is not negative and also takes days.
type Duration time.Duration

var errDuration = errors.New("not a time, as 30s, 5m, 12h, 7d or 1d12h")

// Set implements [flag.Value].
func (d *Duration) Set(text string) error {
	days, rest, ok := strings.Cut(text, "d")
	if !ok {
		days, rest = "0", text
	} else if rest == "" {
		rest = "0"
	}
	n, err := strconv.ParseUint(days, 10, 16)
	if err != nil || strings.ContainsAny(rest, "+-") {
		return errDuration
	}
	v, err := time.ParseDuration(rest)
	sum := Duration(n)*Duration(24*time.Hour) + Duration(v)
	if err != nil || sum < 0 { // more than there can be
		return errDuration
	}
	*d = sum
	return nil
}

// String implements [flag.Value].
func (d *Duration) String() string {
	const day = Duration(24 * time.Hour)
	switch {
	case *d == 0:
		return ""
	case *d%day == 0:
		return fmt.Sprintf("%dd", *d/day)
	}
	text := time.Duration(*d).String() // 5m0s, 1h0m0s
	if s, ok := strings.CutSuffix(text, "m0s"); ok {
		text = s + "m"
	}
	if s, ok := strings.CutSuffix(text, "h0m"); ok {
		text = s + "h"
	}
	return text
}

// Durations is a list with commas.
type Durations []time.Duration

// Set implements [flag.Value].
func (l *Durations) Set(text string) error {
	*l = nil
	for item := range strings.SplitSeq(text, ",") {
		var d Duration
		if err := d.Set(strings.TrimSpace(item)); err != nil {
			return fmt.Errorf("%q is %w", item, err)
		}
		*l = append(*l, time.Duration(d))
	}
	return nil
}

// String implements [flag.Value].
func (l *Durations) String() string {
	var items []string
	for _, d := range *l {
		items = append(items, (*Duration)(&d).String())
	}
	return strings.Join(items, ",")
}

// Size is a number of bytes with a binary unit.
type Size int64

var units = []struct {
	suffix string
	bytes  int64
}{{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}}

// Set implements [flag.Value].
func (s *Size) Set(text string) error {
	unit := int64(1)
	for _, u := range units {
		if digits, ok := strings.CutSuffix(text, u.suffix); ok {
			text, unit = strings.TrimSpace(digits), u.bytes
			break
		}
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > (1<<62)/unit {
		return errors.New("not a size: a whole number of bytes, or of KiB, MiB, GiB or TiB, as 10GiB")
	}
	*s = Size(n * unit)
	return nil
}

// String implements [flag.Value].
func (s *Size) String() string {
	for _, u := range units {
		if n := int64(*s); n > 0 && n%u.bytes == 0 {
			return strconv.FormatInt(n/u.bytes, 10) + u.suffix
		}
	}
	return strconv.FormatInt(int64(*s), 10)
}
