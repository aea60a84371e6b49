// What one launch measured. The names are the protocol's.
package main

type launchResult struct {
	Protocol       uint32             `json:"protocol"`
	Implementation string             `json:"implementation"`
	Engine         string             `json:"engine"`
	Clock          string             `json:"clock"`
	Slices         []sliceResult      `json:"slices"`
	Distributions  []distribution     `json:"distributions"`
	Profile        *profile           `json:"profile,omitempty"`
	Counters       map[string]reading `json:"counters"`
	UncontendedNS  float64            `json:"uncontended_ns"`
}

type sliceResult struct {
	Workers  []workerResult `json:"workers"`
	Expected uint64         `json:"expected"`
	Observed uint64         `json:"observed"`
	Phases   []phaseResult  `json:"phases,omitempty"`
}

type workerResult struct {
	Role                int     `json:"role"`
	Ops                 uint64  `json:"ops"`
	StartNS             uint64  `json:"start_ns"`
	EndNS               uint64  `json:"end_ns"`
	OpsAccounted        uint64  `json:"ops_accounted"`
	CPUNS               *uint64 `json:"cpu_ns,omitempty"`
	RunDelayNS          *uint64 `json:"run_delay_ns,omitempty"`
	VoluntarySwitches   *uint64 `json:"voluntary_switches,omitempty"`
	InvoluntarySwitches *uint64 `json:"involuntary_switches,omitempty"`
}

type phaseResult struct {
	BeginNS uint64   `json:"begin_ns"`
	EndNS   uint64   `json:"end_ns"`
	Active  uint32   `json:"active"`
	Stalled bool     `json:"stalled"`
	Ops     []uint64 `json:"ops"`
}

type distribution struct {
	Metric string `json:"metric"`
	Role   int    `json:"role"`
	Values values `json:"values"`
}

type values struct {
	Counts [][2]uint64 `json:"counts"`
}

// reading is the reason why a counter is missing: this engine opens none.
type reading struct {
	Absent string `json:"absent"`
}

// absentCounters names the counters that other engines have.
func absentCounters() map[string]reading {
	out := map[string]reading{}
	for _, name := range []string{
		"cycles", "instructions", "cache_references", "cache_misses", "l1d_read_misses", "llc_read_misses",
		"context_switches", "cpu_migrations", "page_faults", "futex_calls", "task_clock_ns",
	} {
		out[name] = reading{Absent: "the Go engine does not open perf events"}
	}
	return out
}

type profile struct {
	Probe            probeMode  `json:"probe"`
	Counts           counts     `json:"counts"`
	PrimitiveReports bool       `json:"primitive_reports"`
	HandOffsBetween  [][]uint64 `json:"hand_offs_between,omitempty"`
	Streaks          []uint64   `json:"streaks"`
	Windows          []window   `json:"windows"`
	WaitNSMax        []uint64   `json:"wait_ns_max"`
}

// counts has every count of the protocol; core_changes only where workers are pinned, for others do not know their core. Those that only the inside of sync.Mutex could tell stay zero, as
// `primitive_reports` says.
type counts struct {
	Acquires          uint64 `json:"acquires"`
	FastAcquires      uint64 `json:"fast_acquires"`
	Spins             uint64 `json:"spins"`
	SpinRounds        uint64 `json:"spin_rounds"`
	SpinRoundsUseful  uint64 `json:"spin_rounds_useful"`
	FailedCAS         uint64 `json:"failed_cas"`
	Parks             uint64 `json:"parks"`
	Wakes             uint64 `json:"wakes"`
	LostRaces         uint64 `json:"lost_races"`
	HandOffs          uint64 `json:"hand_offs"`
	StarvationPeriods uint64 `json:"starvation_periods"`
	StarvationNS      uint64 `json:"starvation_ns"`
	OwnerChanges      uint64 `json:"owner_changes"`
	CoreChanges       *uint64 `json:"core_changes,omitempty"`
}

type window struct {
	WindowNS uint64  `json:"window_ns"`
	JainMean float64 `json:"jain_mean"`
}
