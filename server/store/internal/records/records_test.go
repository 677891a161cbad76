package records

import (
	"context"
	"regexp"
	"strconv"
	"testing"

	"github.com/sealpost/sealpost/server/store"
)

// noted is a DB that has nothing and notes what it is asked.
type noted struct{ statements []Statement }

func (n *noted) Read(_ context.Context, s Statement) error {
	n.statements = append(n.statements, s)
	return nil
}

func (n *noted) Write(_ context.Context, _ string, batch ...Statement) error {
	n.statements = append(n.statements, batch...)
	return nil
}

// TestArguments: the arguments of a statement are numbered in the order of their first use, and there are as many: SQLite takes the numbers
// for names, which it numbers as they come.
func TestArguments(t *testing.T) {
	db := &noted{}
	s, ctx := Store{db}, t.Context()
	s.Create(ctx, store.Share{})
	s.Share(ctx, "", 0)
	s.AddPart(ctx, "", store.Part{}, 0, 0, 0)
	s.ReservePart(ctx, "", store.Part{}, 0, 0, 0)
	s.RunOut(ctx, 0, 1)
	s.ReleasePart(ctx, store.Reservation{}, 0)
	s.Reservation(ctx, "", 0)
	s.Usage(ctx)
	s.Part(ctx, "", 0)
	s.Parts(ctx, "")
	s.CountParts(ctx, "")
	s.Complete(ctx, "", 0, 0, 0)
	s.TakeDownload(ctx, "", store.Hash{}, 0)
	s.Ticket(ctx, "", store.Hash{}, 0)
	s.FinishDownload(ctx, "", store.Hash{}, 0, 0)
	s.Update(ctx, "", store.Change{}, 0)
	s.Try(ctx, "", true, store.Budget{Burst: 1, Refill: 1}, 0)
	s.Try(ctx, "", false, store.Budget{Burst: 1, Refill: 1}, 0)
	s.Remove(ctx, "", 0)
	s.Doomed(ctx, 0, 0, 1)
	s.Unmarked(ctx, 0, 1, store.ErrFull)
	s.Forget(ctx, "", 0)
	s.Charge(ctx, store.Charge{}, store.Daily{})
	s.DropCharges(ctx, 0)
	s.AddReport(ctx, store.Report{}, store.ReportLimit{})
	s.Reports(ctx, store.Report{}, 1)
	s.DropReports(ctx, 0)
	s.Record(ctx, "")
	s.Records(ctx, "", 1)
	s.Totals(ctx, 0)
	s.Ping(ctx)
	numbers := regexp.MustCompile(`\$([0-9]+)`)
	for _, st := range db.statements {
		next := 1
		for _, m := range numbers.FindAllStringSubmatch(st.Query, -1) {
			switch n, _ := strconv.Atoi(m[1]); {
			case n > next:
				t.Errorf("$%d comes before $%d in\n%s", n, next, st.Query)
			case n == next:
				next++
			}
		}
		if next-1 != len(st.Args) {
			t.Errorf("%d arguments for %d in\n%s", len(st.Args), next-1, st.Query)
		}
	}
	if len(db.statements) < 40 {
		t.Errorf("only %d statements", len(db.statements))
	}
}
