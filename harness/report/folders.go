package report

// The folders of a report that tests write into (variable HALFOPEN_REPORT).
const (
	Failed  = "failed"  // the evidence of failed tests, a folder for each
	Ladders = "ladders" // ladders that tests have kept, also those that have passed
)
