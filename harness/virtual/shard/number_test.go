package shard

import "testing"

func TestAShardIsNamedByItsNumberAndTheirCount(t *testing.T) {
	for text, expected := range map[string]int{"1/8": 1, "3/8": 3, "8/8": 8, "0/8": 0, "9/8": 0, "3": 0, "x/8": 0, "3/": 0, "3/4": 0, "-1/8": 0, "3/8/8": 0, "": 0} {
		number, err := Parse(text)
		if number != expected || (err == nil) != (expected != 0) {
			t.Errorf("%q is the shard %d, %v; expected %d", text, number, err, expected)
		}
	}
	if _, err := Parse("9/8"); err == nil || err.Error() != `"9/8" is not a shard: choose from 1/8 to 8/8` {
		t.Errorf("the ninth of eight: %v", err)
	}
}
