package steal

import "time"

// history is when the machine stood still. The zero value is empty.
type history struct {
	at     time.Time               // of the last sample
	stolen map[int64]time.Duration // the last sample: by processor, since the machine was started
	gaps   []gap
}

// gap is an interval between two samples in which a processor lost time.
type gap struct {
	from, to time.Time
	stolen   time.Duration // from the processor that lost most
}

// add adds a sample.
func (h *history) add(at time.Time, stolen map[int64]time.Duration) {
	var most time.Duration
	for processor, total := range stolen {
		if before, ok := h.stolen[processor]; ok {
			most = max(most, total-before)
		}
	}
	if most > 0 {
		h.gaps = append(h.gaps, gap{h.at, at, most})
	}
	h.at, h.stolen = at, stolen
}

// between returns the time that was stolen in the gaps between two instants, or overlapping
// them.
func (h *history) between(from, to time.Time) (stolen time.Duration) {
	for _, g := range h.gaps {
		if g.to.After(from) && g.from.Before(to) {
			stolen += g.stolen
		}
	}
	return stolen
}
