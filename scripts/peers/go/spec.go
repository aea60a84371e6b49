// What one launch is told, and what of it this engine can run.
package main

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Bounds of what is asked for. They catch slips of units before they become an exhausted memory or an endless launch.
const (
	// threadsMax stays below the 10,000 threads at which the Go runtime gives up.
	threadsMax = 8192
	locksMax   = 1 << 20
	phasesMax  = 4096
	// durationMaxNS is an hour.
	durationMaxNS = 3_600_000_000_000
)

type implementation struct {
	id string
	// lockedToThreads gives each goroutine a thread of its own.
	lockedToThreads bool
	engine          string
}

var implementations = []implementation{
	{id: "mutex/engine-go", engine: "goroutines"},
	{id: "mutex/engine-go-threads", engine: "goroutines locked to threads", lockedToThreads: true},
}

// probeMode says how closely a launch is observed.
type probeMode string

const (
	probeOff    probeMode = "off"
	probeCount  probeMode = "count"
	probeSample probeMode = "sample"
	probeFull   probeMode = "full"
)

type launchSpec struct {
	Protocol       uint32            `json:"protocol"`
	Implementation string            `json:"implementation"`
	Params         map[string]uint64 `json:"params,omitempty"`
	TunedShape     bool              `json:"tuned_shape,omitempty"`
	Machine        string            `json:"machine"`
	Probe          probeMode         `json:"probe"`
	Seed           uint64            `json:"seed"`
	CPUs           []int             `json:"cpus,omitempty"`
	Slices         uint32            `json:"slices"`
	SliceNS        uint64            `json:"slice_ns"`
	WarmupNS       uint64            `json:"warmup_ns"`
	Point          point             `json:"point"`
}

type point struct {
	Workload string   `json:"workload"`
	Label    string   `json:"label"`
	Family   string   `json:"family"`
	Roles    []role   `json:"roles"`
	Locks    uint32   `json:"locks"`
	Choice   choice   `json:"choice"`
	Arrivals arrivals `json:"arrivals"`
	Schedule schedule `json:"schedule"`
	Expect   string   `json:"expect"`
}

type role struct {
	Name    string  `json:"name"`
	Threads uint32  `json:"threads"`
	Hold    lengths `json:"hold"`
	Think   lengths `json:"think"`
}

// lengths is a distribution of durations in ns.
type lengths struct {
	Kind      string  `json:"kind"`
	NS        uint64  `json:"ns"`
	MinNS     uint64  `json:"min_ns"`
	MaxNS     uint64  `json:"max_ns"`
	MeanNS    uint64  `json:"mean_ns"`
	ShortNS   uint64  `json:"short_ns"`
	LongNS    uint64  `json:"long_ns"`
	LongShare float64 `json:"long_share"`
}

type choice struct {
	Kind     string  `json:"kind"`
	Exponent float64 `json:"exponent"`
}

type arrivals struct {
	Kind          string  `json:"kind"`
	PerThreadPerS float64 `json:"per_thread_per_s"`
}

type schedule struct {
	Kind    string   `json:"kind"`
	Active  []uint32 `json:"active"`
	OnNS    uint64   `json:"on_ns"`
	OffNS   uint64   `json:"off_ns"`
	StallNS uint64   `json:"stall_ns"`
	PhaseNS uint64   `json:"phase_ns"`
}

// The plain types have the fields but not the methods, so that decoding them does not come back here.

func (p *point) UnmarshalJSON(text []byte) error {
	type plain point
	return decodeStruct("point", text, (*plain)(p))
}

func (r *role) UnmarshalJSON(text []byte) error {
	type plain role
	return decodeStruct("role", text, (*plain)(r))
}

func (l *lengths) UnmarshalJSON(text []byte) error {
	type plain lengths
	return decodeVariant("distribution", text, map[string][]string{
		"constant":    {"ns"},
		"uniform":     {"min_ns", "max_ns"},
		"exponential": {"mean_ns"},
		"bimodal":     {"short_ns", "long_ns", "long_share"},
	}, (*plain)(l))
}

func (c *choice) UnmarshalJSON(text []byte) error {
	type plain choice
	return decodeVariant("choice", text, map[string][]string{"uniform": {}, "zipf": {"exponent"}}, (*plain)(c))
}

func (a *arrivals) UnmarshalJSON(text []byte) error {
	type plain arrivals
	rate := []string{"per_thread_per_s"}
	return decodeVariant("arrivals", text, map[string][]string{"closed": {}, "fixed": rate, "poisson": rate}, (*plain)(a))
}

func (s *schedule) UnmarshalJSON(text []byte) error {
	type plain schedule
	return decodeVariant("schedule", text, map[string][]string{
		"steady": {},
		"ramp":   {"active"},
		"bursts": {"on_ns", "off_ns"},
		"stall":  {"stall_ns", "phase_ns"},
	}, (*plain)(s))
}

// parseSpec reads a spec and refuses what this engine cannot do.
func parseSpec(text []byte) (*launchSpec, error) {
	// The protocol number comes first: what another version calls its keys is unknown.
	var header struct {
		Protocol *uint32 `json:"protocol"`
	}
	if err := json.Unmarshal(text, &header); err != nil {
		return nil, inContext("spec", err)
	}
	if header.Protocol == nil || *header.Protocol != protocol {
		return nil, fmt.Errorf("spec: expected \"protocol\": %d, the only version that this engine speaks", protocol)
	}
	spec := &launchSpec{}
	if err := decodeStruct("spec", text, spec); err != nil {
		return nil, err
	}
	if err := spec.check(); err != nil {
		return nil, err
	}
	return spec, nil
}

func (s *launchSpec) threads() int {
	threads := 0
	for _, role := range s.Point.Roles {
		threads += int(role.Threads)
	}
	return threads
}

// closed reports whether a worker begins its next operation as soon as it has thought.
func (a arrivals) closed() bool {
	return a.Kind == "closed"
}

func (s *launchSpec) implementation() (implementation, error) {
	var known []string
	for _, implementation := range implementations {
		if implementation.id == s.Implementation {
			return implementation, nil
		}
		known = append(known, implementation.id)
	}
	return implementation{}, fmt.Errorf("unknown implementation %q; expected %s", s.Implementation, strings.Join(known, " or "))
}

func (s *launchSpec) check() error {
	implementation, err := s.implementation()
	if err != nil {
		return err
	}
	for name := range s.Params {
		return fmt.Errorf("%s has no parameters, but the spec sets %q", s.Implementation, name)
	}
	switch {
	case s.TunedShape:
		return fmt.Errorf("%s has no tuned shape: it has no parameters", s.Implementation)
	case s.Machine != "os":
		return fmt.Errorf("machine %q: a Go program runs on \"os\" only", s.Machine)
	case s.Probe != probeOff && s.Probe != probeCount && s.Probe != probeSample && s.Probe != probeFull:
		return fmt.Errorf("unknown probe %q; expected off, count, sample, full", s.Probe)
	case len(s.CPUs) > 0 && !implementation.lockedToThreads:
		return fmt.Errorf("%s cannot pin: goroutines move between threads; mutex/engine-go-threads can", s.Implementation)
	case s.Slices == 0 || s.SliceNS == 0:
		return fmt.Errorf("slices %d of %d ns: expected at least one, of at least 1 ns", s.Slices, s.SliceNS)
	case s.SliceNS > durationMaxNS || s.WarmupNS > durationMaxNS:
		return fmt.Errorf("slice_ns %d, warmup_ns %d: expected at most an hour, %d", s.SliceNS, s.WarmupNS, uint64(durationMaxNS))
	case s.Point.Family != "mutex":
		return fmt.Errorf("family %q: expected mutex", s.Point.Family)
	case s.Point.Expect != "counter":
		return fmt.Errorf("unknown expectation %q; expected counter", s.Point.Expect)
	case s.Point.Locks == 0 || s.Point.Locks > locksMax:
		return fmt.Errorf("locks %d: expected 1 to %d", s.Point.Locks, locksMax)
	}
	if err := s.Point.checkRoles(); err != nil {
		return err
	}
	if exponent := s.Point.Choice.Exponent; exponent < 0 {
		return fmt.Errorf("zipf exponent %v: expected 0 or more", exponent)
	}
	if rate := s.Point.Arrivals.PerThreadPerS; !s.Point.Arrivals.closed() && !(rate >= 1e-3 && rate <= 1e9) {
		return fmt.Errorf("per_thread_per_s %v: expected 0.001 to 1e9", rate)
	}
	_, err = planPhases(s.Point.Schedule, int64(s.SliceNS), s.threads())
	return err
}

func (p *point) checkRoles() error {
	// Added up as float64, where it cannot overflow.
	threads := 0.0
	for _, role := range p.Roles {
		threads += float64(role.Threads)
		for _, lengths := range []lengths{role.Hold, role.Think} {
			if err := lengths.check(); err != nil {
				return fmt.Errorf("role %q: %w", role.Name, err)
			}
		}
	}
	if threads < 1 || threads > threadsMax {
		return fmt.Errorf("%.0f threads in all roles: expected 1 to %d", threads, threadsMax)
	}
	return nil
}

func (l lengths) check() error {
	longest := max(l.NS, l.MinNS, l.MaxNS, l.MeanNS, l.ShortNS, l.LongNS)
	switch {
	case longest > durationMaxNS:
		return fmt.Errorf("distribution %s: %d ns is longer than an hour", l.Kind, longest)
	case l.MinNS > l.MaxNS:
		return fmt.Errorf("distribution uniform: min_ns %d is above max_ns %d", l.MinNS, l.MaxNS)
	case !(l.LongShare >= 0 && l.LongShare <= 1):
		return fmt.Errorf("distribution bimodal: long_share %v is not between 0 and 1", l.LongShare)
	}
	return nil
}
