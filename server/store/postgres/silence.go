package postgres

import (
	"context"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// silence are the settings by which PostgreSQL ends a session whose client does not answer any more, some 15 seconds after it has heard the
// last of it. By itself it would do that after two hours, and until then keep the locks of what was begun.
var silence = []struct{ name, value string }{
	{"tcp_keepalives_idle", "10"},    // seconds
	{"tcp_keepalives_interval", "3"}, // seconds
	{"tcp_keepalives_count", "3"},
	{"tcp_user_timeout", "15000"}, // milliseconds, of what is sent and not acknowledged
}

// keepAlive is the same at this end.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 10 * time.Second, Interval: 3 * time.Second, Count: 3}

// endSilence has each session begin with these settings, but for those that the address has. They are not sent along when it is opened, as
// poolers refuse there what they do not know.
func endSilence(cfg *pgconn.Config) {
	cfg.DialFunc = (&net.Dialer{KeepAliveConfig: keepAlive}).DialContext
	var set strings.Builder
	for _, s := range silence {
		_, said := cfg.RuntimeParams[s.name]
		if !said && !strings.Contains(cfg.RuntimeParams["options"], s.name) {
			set.WriteString("SET " + s.name + " = " + s.value + ";")
		}
	}
	if set.Len() == 0 {
		return
	}
	cfg.AfterConnect = func(ctx context.Context, conn *pgconn.PgConn) error {
		_, err := conn.Exec(ctx, set.String()).ReadAll()
		return err
	}
}
