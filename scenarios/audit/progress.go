package audit

import (
	"time"

	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// Stage is how far an audit has come.
type Stage string

// The stages.
const (
	Packing   Stage = "packing"   // the programs are put into the guest
	Measuring Stage = "measuring" // the trials begin
	Measured  Stage = "measured"  // one trial has ended
	Finished  Stage = "finished"  // there is an answer
)

// Progress is a step of an audit. The measuring process writes those of the stage Measured
// to its standard output (stream.go).
type Progress struct {
	Stage Stage
	// Trial is the fault of a trial that has ended, or "quiet connection", which shows what
	// the program does by itself. Only Measured has it.
	Trial   string         `json:",omitempty"`
	Failed  bool           `json:",omitempty"` // the trial could not be measured
	Elapsed answer.Seconds // since the trials began; Finished: since the guest was switched on
	// RealTime reports that Elapsed is real time; false: virtual time.
	RealTime bool
	Wall     time.Duration `json:",omitempty"` // Finished: how long the guest took in real time
}

// tell calls r.Progress.
func (r Request) tell(p Progress) {
	p.RealTime = r.RealTime
	if r.Progress != nil {
		r.Progress(p)
	}
}
