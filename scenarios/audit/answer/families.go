package answer

import "fmt"

// differences returns what is different over IPv6 from IPv4, in lines.
func (a *Answer) differences() []string {
	if a.OverIPv6.Trouble != "" {
		return []string{"not measured: " + a.OverIPv6.Trouble}
	}
	results, err := compareOne(a, a.OverIPv6)
	if err != nil {
		return []string{err.Error()}
	}
	var lines []string
	for _, r := range results {
		if r.Broken != "" {
			lines = append(lines, r.Broken)
		}
	}
	if len(lines) == 0 {
		lines = []string{a.SameOverIPv6()}
	}
	return lines
}

// SameOverIPv6 returns the sentence of an answer of both families that are alike.
func (a *Answer) SameOverIPv6() string {
	return fmt.Sprintf("nothing: settings, %d faults and %d middleboxes are as over IPv4", len(a.Faults), len(a.Presets))
}

// overIPv6 returns results as those of the answer over IPv6.
func overIPv6(results []Result) []Result {
	for i := range results {
		r := &results[i]
		for _, text := range []*string{&r.Promise, &r.Broken, &r.Open} {
			if *text != "" {
				*text = "over IPv6: " + *text
			}
		}
	}
	return results
}
