package answer

import (
	"errors"
	"fmt"
	"strconv"
)

// Compare returns the outcome of the promise that an answer is as an earlier one was: a
// result for each of its parts, which says from what to what it has changed. Durations may
// differ by a second, or by the tolerance of harness/oracle. Answers that were watched for
// different durations are an error: what happens late is only in one of them; and so are answers
// of one family and of both.
func Compare(was, is *Answer) ([]Result, error) {
	results, err := compareOne(was, is)
	switch {
	case err != nil || was.OverIPv6 == nil && is.OverIPv6 == nil:
		return results, err
	case was.OverIPv6 == nil || is.OverIPv6 == nil:
		return nil, errors.New("one of the baseline and this audit is of both families, and the other of one: they cannot be compared (--family, --update)")
	case was.OverIPv6.Trouble != is.OverIPv6.Trouble:
		return append(results, Result{Promise: "over IPv6: as in the baseline", Broken: fmt.Sprintf("over IPv6: from %q to %q", was.OverIPv6.Trouble, is.OverIPv6.Trouble)}), nil
	case is.OverIPv6.Trouble != "":
		return results, nil
	}
	over, err := compareOne(was.OverIPv6, is.OverIPv6)
	return append(results, overIPv6(over)...), err
}

// compareOne compares the answers of one family.
func compareOne(was, is *Answer) ([]Result, error) {
	parts, err := partsOf(was, is)
	var results []Result
	for _, p := range parts {
		results = append(results, p.result())
	}
	return results, err
}

// result returns the outcome of the promise that the part is as it was.
func (p part) result() Result {
	r := Result{Promise: p.What + ": as in the baseline"}
	quote := func(words string) string { return words }
	if p.sentence {
		quote = strconv.Quote
	}
	switch {
	case p.same:
	case p.added:
		r.Broken = p.What + ": not in the baseline"
	case p.removed:
		r.Broken = p.What + ": in the baseline, and not measured now"
	default:
		r.Broken = fmt.Sprintf("%s: from %s to %s", p.What, quote(p.Was), quote(p.Is))
	}
	return r
}
