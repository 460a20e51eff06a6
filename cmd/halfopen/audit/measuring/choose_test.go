package measuring

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/halfopen-lab/halfopen/cmd/halfopen/audit/answer"
	"github.com/halfopen-lab/halfopen/cmd/halfopen/audit/plan"
)

func described(faults []fault) (names []string) {
	for _, f := range faults {
		names = append(names, f.describe())
	}
	return names
}

func TestOnlyTheChosenFaultsAndMiddleboxesAreDone(t *testing.T) {
	p := &plan.Plan{UnderTest: plan.Server, Presets: []string{"linux-nf_conntrack"}} // of the user's file
	if err := Choose(p, []string{"process killed", "azure-lb"}); err != nil {
		t.Fatal(err)
	}
	if got, want := described(trials(p)), []string{"nothing", "process killed", "azure-lb"}; !slices.Equal(got, want) {
		t.Errorf("the trials are %q, expected %q", got, want)
	}
}

func TestAFaultThatIsNotDoneSaysWhy(t *testing.T) {
	both := &plan.Program{}
	for name, c := range map[string]struct {
		plan plan.Plan
		want string
	}{
		"cable gnawed":               {plan.Plan{}, `there is no fault "cable gnawed": there are ["process killed"`},
		"host powered off, busy":     {plan.Plan{}, "needs something that the program answers (--send"},
		"FIN, and the peer reads on": {plan.Plan{Server: both, Client: both}, "is not done where both sides are programs"},
		"aws-alb":                    {plan.Plan{}, "the preset aws-alb cannot be run in an audit: it is a proxy"},
	} {
		c.plan.UnderTest = plan.Server
		if err := Choose(&c.plan, []string{name}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, expected %q", name, err, c.want)
		}
	}
}

func TestWhatTakesLongIsNotDoneInRealTime(t *testing.T) {
	p := &plan.Plan{UnderTest: plan.Server, Watch: time.Minute, Presets: []string{"azure-lb"}}
	const long = "idle timeout of 350 s, silent"
	if names := described(trials(p)); !slices.Contains(names, long) || !slices.Contains(names, "azure-lb") {
		t.Errorf("in virtual time the trials are %q", names)
	}
	p.RealTime = true
	if names := described(trials(p)); slices.Contains(names, long) || slices.Contains(names, "azure-lb") || !slices.Contains(names, "host powered off") {
		t.Errorf("in a minute of real time the trials are %q", names)
	}
	for _, name := range []string{long, "azure-lb"} {
		if err := Choose(p, []string{name}); err == nil || !strings.Contains(err.Error(), "--watch") {
			t.Errorf("%s: %v, expected how long it takes", name, err)
		}
	}
	p.Watch = 12 * time.Minute
	if err := InTime(p, []string{long}); err != nil {
		t.Error(err)
	}
}

// What has not happened in a minute may happen later.
func TestNeverIsLongerThanTheKernelTakes(t *testing.T) {
	began := time.Unix(0, 0)
	for watched, want := range map[time.Duration]string{time.Minute: "nothing within 60 s", longestWatch: "never"} {
		o := outcome{trial: &trial{fault: fault{name: hostPoweredOff, dead: true}, plan: &plan.Plan{}, began: began, struck: began, over: began.Add(watched)}}
		if f := o.judge(answer.Wire{}); f.Words() != want {
			t.Errorf("watched for %v: %q, expected %q", watched, f.Words(), want)
		}
	}
}
