package conformance

import (
	"bytes"
	"io"
	"net/http"

	"github.com/sealpost/sealpost/server/api"
)

// Recipient is one to which nobody seals: for a deployment that takes reports.
const Recipient = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"

func (c *check) report(u *share, bearer string, body any, header ...string) answer {
	c.Helper()
	return c.do("POST", u.path("/reports"), bearer, body, header...)
}

// testReports: who has the link can report, password or not, once the share is whole; what is kept is an age file and not too large;
// the same one is kept once; and a share takes some, and not any number. A report changes nothing about its share.
func testReports(c *check) {
	if c.config.ReportRecipient == "" {
		c.Fatal("this deployment takes no reports")
	}
	u := c.send(sealed(1000), func(in *api.CreateShare) { in.Password = true })
	before := c.state(u)
	access := u.access.String()
	one := sealed(3000)
	c.want(c.report(u, access, one), http.StatusNoContent)
	for _, bearer := range []string{access, u.bearer(), u.guess()} {
		c.want(c.report(u, bearer, one), http.StatusNoContent)
	}
	open := c.create(newShare(sealed(1000)))
	c.refused(c.report(open, open.access.String(), one), api.CodeNotReady)
	c.refused(c.report(open, open.owner.String(), one), api.CodeNotFound)

	c.refused(c.report(u, u.owner.String(), one), api.CodeNotFound)
	c.refused(c.report(u, c.taken(u).String(), one), api.CodeNotFound)
	c.refused(c.do("GET", u.path("/reports"), access, nil), api.CodeMethodNotAllowed)
	c.refused(c.report(u, access, []byte("in clear")), api.CodeNotSealed)
	c.refused(c.report(u, access, []byte{}), api.CodeNotSealed)
	c.refused(c.report(u, access, one, "Content-Type", "text/plain"), api.CodeBadRequest)
	c.refused(c.report(u, access, `{"words":"in clear"}`), api.CodeBadRequest)
	c.refused(c.report(u, access, sealed(api.MaxReportSize+1)), api.CodeTooLarge)
	c.refused(c.report(u, access, sealed(1<<20)), api.CodeTooLarge)
	c.refused(c.report(u, access, io.MultiReader(bytes.NewReader(one)), "Content-Type", "application/octet-stream"), api.CodeLengthRequired)

	taken := 1
	c.want(c.report(u, access, sealed(api.MaxReportSize)), http.StatusNoContent)
	for taken++; ; taken++ {
		a := c.report(u, access, sealed(100))
		if a.status != http.StatusNoContent {
			c.refused(a, api.CodeEnoughReports)
			break
		}
		if taken > 1000 {
			c.Fatal("a share may be reported any number of times")
		}
	}
	if taken < 5 {
		c.Errorf("a share may be reported only %d times", taken)
	}
	c.want(c.report(u, access, one), http.StatusNoContent) // it is there
	other := c.send(sealed(1000))
	c.want(c.report(other, other.access.String(), one), http.StatusNoContent)

	if after := c.state(u); after.State != before.State || after.Expires != before.Expires || *after.Left != *before.Left-1 {
		c.Errorf("a share was %+v before it was reported, and is %+v", before, after)
	}
	c.want(c.do("DELETE", u.path(""), u.owner.String(), nil), http.StatusNoContent)
	c.refused(c.report(u, access, one), api.CodeNotFound)
}

// testReportsOff: an operator who publishes no recipient gets none.
func testReportsOff(c *check) {
	c = c.tight()
	if got := into[api.Config](c, c.do("GET", "/api/v1/config", "", nil)); got.ReportRecipient != "" {
		c.Errorf("config: %+v", got)
	}
	u := c.send(sealed(100))
	c.refused(c.report(u, u.access.String(), sealed(100)), api.CodeReportsOff)
	c.refused(c.report(u, u.owner.String(), sealed(100)), api.CodeNotFound)
}
