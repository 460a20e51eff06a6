package steal

import "time"

// history is when the machine stood still. The zero value knows nothing.
type history struct {
	at     time.Time               // of the last look
	stolen map[int64]time.Duration // by processor, since the machine was started
	gaps   []gap
}

// gap is an interval between two looks in which a processor was taken away.
type gap struct {
	from, to time.Time
	stolen   time.Duration
}

// add takes a look's result down.
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

func (h *history) between(from, to time.Time) (stolen time.Duration) {
	for _, g := range h.gaps {
		if g.to.After(from) && g.from.Before(to) {
			stolen += g.stolen
		}
	}
	return stolen
}
