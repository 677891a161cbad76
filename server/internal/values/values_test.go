package values_test

import (
	"flag"
	"strings"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server/internal/values"
)

const day = 24 * time.Hour

func TestDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{"0": 0, "90s": 90 * time.Second, "1h30m": 90 * time.Minute, "7d": 7 * day,
		"1d12h": 36 * time.Hour, "1d0.5h": day + 30*time.Minute} {
		var d values.Duration
		if err := d.Set(text); err != nil || time.Duration(d) != want {
			t.Errorf("%q is %v, %v; want %v", text, time.Duration(d), err, want)
		}
	}
	for d, want := range map[time.Duration]string{0: "", 90 * time.Second: "1m30s", 5 * time.Minute: "5m", time.Hour: "1h", 36 * time.Hour: "36h", 7 * day: "7d"} {
		v := values.Duration(d)
		var back values.Duration
		if got := v.String(); got != want || d != 0 && (back.Set(got) != nil || back != v) {
			t.Errorf("%v is written %q and read %v, want %q", d, got, time.Duration(back), want)
		}
	}
}

func TestSize(t *testing.T) {
	for text, want := range map[string]int64{"0": 0, "17": 17, "1KiB": 1 << 10, "3 MiB": 3 << 20, "10GiB": 10 << 30, "2TiB": 2 << 40} {
		var s values.Size
		if err := s.Set(text); err != nil || int64(s) != want {
			t.Errorf("%q is %d, %v; want %d", text, s, err, want)
		}
		if s.String() != strings.ReplaceAll(text, " ", "") {
			t.Errorf("%d is written %q", want, s.String())
		}
	}
}

// What is refused leaves the value as it was, and the error says what is not.
func TestRefused(t *testing.T) {
	duration, size, list := values.Duration(time.Hour), values.Size(7), values.Durations(nil)
	for _, c := range []struct {
		value flag.Value
		want  []string
		texts []string
	}{
		{&duration, []string{"5m", "7d", "1d12h"}, []string{"", "x", "7", "-5s", "-1d", "1d-5h", "1d+5h", "1.5d", "d", "12h1d", "1d1d", "99999d",
			"65535d2562047h", "9999999h"}},
		{&size, []string{"bytes", "KiB", "MiB", "GiB", "TiB"}, []string{"", "x", "-1", "10GB", "10G", "1.5GiB", "GiB", "99999999TiB"}},
		{&list, []string{`"1x"`, "7d"}, []string{"1x", "1h,1x"}},
	} {
		before := c.value.String()
		for _, text := range c.texts {
			err := c.value.Set(text)
			if err == nil {
				t.Errorf("%T takes %q for %v", c.value, text, c.value)
				continue
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%T %q: no %s in %v", c.value, text, want, err)
				}
			}
		}
		if got := c.value.String(); c.value != &list && got != before {
			t.Errorf("%T was %s and is %s", c.value, before, got)
		}
	}
}
