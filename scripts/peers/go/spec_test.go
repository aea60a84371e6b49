package main

import (
	"encoding/json"
	"strings"
	"testing"
)

// object is a spec as JSON, for tests to bend.
type object = map[string]any

// validSpec asks for two short slices of two workers.
func validSpec() object {
	return object{
		"protocol": 1, "implementation": "mutex/engine-go", "machine": "os", "probe": "off", "seed": 7,
		"slices": 2, "slice_ns": 3_000_000, "warmup_ns": 500_000,
		"point": object{
			"workload": "contended", "label": "contended/t2", "family": "mutex",
			"roles": []object{{
				"name": "all", "threads": 2,
				"hold":  object{"kind": "constant", "ns": 200},
				"think": object{"kind": "exponential", "mean_ns": 400},
			}},
			"locks": 1, "choice": object{"kind": "uniform"}, "arrivals": object{"kind": "closed"},
			"schedule": object{"kind": "steady"}, "expect": "counter",
		},
	}
}

// bent is the valid spec with one value changed, or with a key removed if the value is nil. Keys are joined by dots.
func bent(path string, value any) object {
	spec := validSpec()
	at := spec
	keys := strings.Split(path, ".")
	for _, key := range keys[:len(keys)-1] {
		if key == "role" {
			at = at["roles"].([]object)[0]
		} else {
			at = at[key].(object)
		}
	}
	if last := keys[len(keys)-1]; value == nil {
		delete(at, last)
	} else {
		at[last] = value
	}
	return spec
}

func encode(t *testing.T, value any) []byte {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestSpecIsRead(t *testing.T) {
	spec, err := parseSpec(encode(t, validSpec()))
	if err != nil {
		t.Fatal(err)
	}
	role := spec.Point.Roles[0]
	if spec.SliceNS != 3_000_000 || spec.threads() != 2 || role.Hold.NS != 200 || role.Think.MeanNS != 400 {
		t.Errorf("misread: %+v", spec)
	}
}

func TestBadSpecsAreRefused(t *testing.T) {
	for _, test := range []struct {
		path  string
		value any
		says  string
	}{
		{"protocol", 2, `"protocol": 1`},
		{"protocol", nil, `"protocol": 1`},
		{"implementation", "mutex/go", "expected mutex/engine-go or mutex/engine-go-threads"},
		{"surprise", 1, `unknown key "surprise"`},
		{"Seed", 1, `unknown key "Seed"`},
		{"seed", nil, `key "seed" is missing`},
		{"seed", -1, `key "seed": expected uint64`},
		{"machine", "sim:tiny", `machine "sim:tiny"`},
		{"probe", "loud", "expected off, count, sample, full"},
		{"params", object{"spin_rounds": 4}, "no parameters"},
		{"tuned_shape", true, "no tuned shape"},
		{"cpus", []int{0}, "mutex/engine-go cannot pin"},
		{"slices", 0, "at least one"},
		{"slice_ns", 3_600_000_000_001, "at most an hour"},
		{"point.family", "rwlock", "expected mutex"},
		{"point.expect", "luck", "expected counter"},
		{"point.locks", 0, "expected 1 to"},
		{"point.roles", []object{}, "0 threads"},
		{"point.role.threads", 1_000_000, "1000000 threads"},
		{"point.role.hold", object{"kind": "constant"}, `distribution constant: key "ns" is missing`},
		{"point.role.hold", object{"kind": "constant", "ns": 1, "max_ns": 2}, `unknown key "max_ns"`},
		{"point.role.hold", object{"kind": "normal"}, "expected bimodal, constant, exponential, uniform"},
		{"point.role.hold", object{"kind": "uniform", "min_ns": 2, "max_ns": 1}, "min_ns 2 is above max_ns 1"},
		{"point.role.hold", object{"kind": "bimodal", "short_ns": 1, "long_ns": 2, "long_share": 1.5}, "between 0 and 1"},
		{"point.role.think", "long", "distribution"},
		{"point.choice", object{"kind": "zipf", "exponent": -1}, "0 or more"},
		{"point.arrivals", object{"kind": "poisson", "per_thread_per_s": 0}, "per_thread_per_s 0"},
		{"point.schedule", object{"kind": "ramp", "active": []int{}}, "schedule ramp: 0 phases"},
		{"point.schedule", object{"kind": "bursts", "on_ns": 0, "off_ns": 5}, "on_ns is 0"},
		{"point.schedule", object{"kind": "stall", "stall_ns": 5, "phase_ns": 0}, "phase_ns is 0"},
		{"point", 3, "point"},
	} {
		_, err := parseSpec(encode(t, bent(test.path, test.value)))
		if err == nil || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s = %v: the error is %v; expected one line with %q", test.path, test.value, err, test.says)
		}
	}
	for _, text := range []string{"", "{", "null", "[]", "3", "{} {}"} {
		if _, err := parseSpec([]byte(text)); err == nil {
			t.Errorf("%q was taken for a spec", text)
		}
	}
}
