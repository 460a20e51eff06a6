package plan

import (
	"strings"
	"testing"
	"time"
)

func TestWhatAPlanLacksIsNamed(t *testing.T) {
	good := Plan{UnderTest: Server, Port: 80, Watch: time.Hour, Ready: time.Minute}
	if err := good.Check("x", ""); err != nil {
		t.Error(err)
	}
	for want, c := range map[string]struct {
		change         func(*Plan)
		server, client string
	}{
		"nothing to audit":                {func(*Plan) {}, "", ""},
		"the client is under test":        {func(p *Plan) { p.UnderTest = Client }, "x", ""},
		"must be server or client":        {func(p *Plan) { p.UnderTest = "both" }, "x", "y"},
		"the port is missing":             {func(p *Plan) { p.Port = 0 }, "x", ""},
		"the time to watch":               {func(p *Plan) { p.Watch = -1 }, "x", ""},
		"the time to get ready":           {func(p *Plan) { p.Ready = -1 }, "x", ""},
		`there is no preset "x"`:          {func(p *Plan) { p.Presets = []string{"x"} }, "x", ""},
		"aws-alb cannot be run in an aud": {func(p *Plan) { p.Presets = []string{"aws-alb"} }, "x", ""},
	} {
		p := good
		c.change(&p)
		if err := p.Check(c.server, c.client); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, expected %q", err, want)
		}
	}
}
