package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// With this variable set, the test binary is the engine.
const asEngine = "SYNCHROSCOPE_TEST_AS_ENGINE"

func TestMain(m *testing.M) {
	if os.Getenv(asEngine) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// process runs the engine in a process of its own.
func process(t *testing.T, stdin []byte, arguments ...string) (stdout, stderr string, code int) {
	t.Helper()
	command := exec.Command(os.Args[0], arguments...)
	command.Env = append(os.Environ(), asEngine+"=1")
	var out, err bytes.Buffer
	command.Stdin, command.Stdout, command.Stderr = bytes.NewReader(stdin), &out, &err
	if failed := command.Run(); failed != nil {
		var exit *exec.ExitError
		if !errors.As(failed, &exit) {
			t.Fatal(failed)
		}
	}
	return out.String(), err.String(), command.ProcessState.ExitCode()
}

// ask runs a spec in this process and reads the answer strictly.
func ask(t *testing.T, spec object) *launchResult {
	t.Helper()
	var out bytes.Buffer
	if err := answer(bytes.NewReader(encode(t, spec)), &out); err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(&out)
	decoder.DisallowUnknownFields()
	result := &launchResult{}
	if err := decoder.Decode(result); err != nil {
		t.Fatal(err)
	}
	return result
}

// checkSlices holds for every result, whatever the load.
func checkSlices(t *testing.T, result *launchResult, slices, workers int) {
	t.Helper()
	if len(result.Slices) != slices || result.UncontendedNS <= 0 {
		t.Fatalf("%d slices, uncontended %v ns", len(result.Slices), result.UncontendedNS)
	}
	// On a busy computer nobody may get a core within a slice of this length, but somebody did before it.
	total := uint64(0)
	for _, slice := range result.Slices {
		ops := uint64(0)
		for _, w := range slice.Workers {
			ops += w.Ops
			if w.EndNS <= w.StartNS {
				t.Errorf("a worker from %d to %d", w.StartNS, w.EndNS)
			}
		}
		total += slice.Expected
		if slice.Expected != slice.Observed || ops > slice.Expected || len(slice.Workers) != workers {
			t.Errorf("%d workers, %d operations; expected %d, observed %d", len(slice.Workers), ops, slice.Expected, slice.Observed)
		}
	}
	if total == 0 {
		t.Error("nobody did anything")
	}
}

func TestCountsAreRight(t *testing.T) {
	for _, implementation := range implementations {
		for _, threads := range []int{1, 2, 9} {
			spec := bent("implementation", implementation.id)
			spec["point"].(object)["roles"].([]object)[0]["threads"] = threads
			result := ask(t, spec)
			checkSlices(t, result, 2, threads)
			account := result.Slices[0].Workers[0].VoluntarySwitches != nil
			if account && !implementation.lockedToThreads {
				t.Errorf("%s: a goroutine has an account of a thread", implementation.id)
			}
		}
	}
}

func TestThreadsMayAllRun(t *testing.T) {
	for _, c := range []struct {
		threads int
		locked  bool
		want    int
	}{{64, false, 2}, {64, true, 64}, {1, true, 2}} {
		if got := processorsFor(2, c.threads, c.locked); got != c.want {
			t.Errorf("%d threads, locked %v: %d processors, want %d", c.threads, c.locked, got, c.want)
		}
	}
}

func TestEveryProbeOnEveryLoad(t *testing.T) {
	for _, load := range []object{
		{"schedule": object{"kind": "ramp", "active": []int{1, 2, 1}}},
		{"schedule": object{"kind": "bursts", "on_ns": 500_000, "off_ns": 500_000}},
		{"schedule": object{"kind": "stall", "stall_ns": 1_000_000, "phase_ns": 250_000}},
		{"arrivals": object{"kind": "fixed", "per_thread_per_s": 20_000}},
		{"arrivals": object{"kind": "poisson", "per_thread_per_s": 20_000}},
		{"locks": 16, "choice": object{"kind": "zipf", "exponent": 1}},
	} {
		for _, probe := range []probeMode{probeOff, probeCount, probeSample, probeFull} {
			spec := bent("probe", probe)
			spec["implementation"] = "mutex/engine-go-threads"
			for key, value := range load {
				spec["point"].(object)[key] = value
			}
			result := ask(t, spec)
			checkSlices(t, result, 2, 2)
			checkPhases(t, result, load["schedule"] != nil)
			checkProfile(t, result, probe)
		}
	}
}

func checkPhases(t *testing.T, result *launchResult, several bool) {
	t.Helper()
	for _, slice := range result.Slices {
		if several != (len(slice.Phases) > 1) {
			t.Errorf("%d phases", len(slice.Phases))
		}
		sums := make([]uint64, len(slice.Workers))
		for k, phase := range slice.Phases {
			for worker, ops := range phase.Ops {
				sums[worker] += ops
			}
			if phase.EndNS < phase.BeginNS || k > 0 && phase.BeginNS != slice.Phases[k-1].EndNS {
				t.Errorf("phase %d from %d to %d", k, phase.BeginNS, phase.EndNS)
			}
		}
		for worker, ops := range sums {
			if several && ops != slice.Workers[worker].Ops {
				t.Errorf("worker %d: %d operations in all phases, %d in the slice", worker, ops, slice.Workers[worker].Ops)
			}
		}
	}
}

func checkProfile(t *testing.T, result *launchResult, probe probeMode) {
	t.Helper()
	if probe == probeOff {
		if result.Profile != nil || len(result.Distributions) != 0 {
			t.Error("something was observed without a probe")
		}
		return
	}
	p := result.Profile
	if p == nil || p.Probe != probe || p.PrimitiveReports || p.Counts.Acquires == 0 {
		t.Fatalf("probe %s: profile %+v", probe, p)
	}
	followed := uint64(0)
	for i, row := range p.HandOffsBetween {
		for j, acquires := range row {
			followed += acquires
			if i != j && acquires > p.Counts.OwnerChanges {
				t.Errorf("%d hand-offs from %d to %d, but %d owner changes", acquires, i, j, p.Counts.OwnerChanges)
			}
		}
	}
	if followed > p.Counts.Acquires {
		t.Errorf("%d acquires followed another, of %d", followed, p.Counts.Acquires)
	}
	timed := uint64(0)
	for _, d := range result.Distributions {
		for _, pair := range d.Values.Counts {
			if d.Metric == "wait" {
				timed += pair[1]
			}
		}
	}
	if (probe == probeFull) != (timed == p.Counts.Acquires) || probe == probeCount && timed > 0 {
		t.Errorf("probe %s: %d of %d acquires were timed", probe, timed, p.Counts.Acquires)
	}
	if probe == probeFull && len(p.Windows) == 0 {
		t.Error("no windows of fairness")
	}
}

func TestStalledHolderStopsTheOthers(t *testing.T) {
	spec := bent("point.schedule", object{"kind": "stall", "stall_ns": 2_000_000, "phase_ns": 500_000})
	spec["probe"], spec["slices"] = "full", 1
	result := ask(t, spec)
	for _, phase := range result.Slices[0].Phases {
		if phase.Stalled && phase.EndNS-phase.BeginNS < 2_000_000 {
			t.Errorf("the stall was over after %d ns", phase.EndNS-phase.BeginNS)
		}
	}
	held := uint64(0)
	for _, d := range result.Distributions {
		if d.Metric == "hold" {
			held = d.Values.Counts[len(d.Values.Counts)-1][0]
		}
	}
	if held < 1_990_000 {
		t.Errorf("the longest hold took %d ns, expected the stall's 2000000", held)
	}
}

func TestProcessAnswersOnStdout(t *testing.T) {
	stdout, stderr, code := process(t, encode(t, validSpec()))
	if code != 0 || stderr != "" || strings.Count(stdout, "\n") != 1 || !strings.HasPrefix(stdout, `{"protocol":1,`) {
		t.Errorf("code %d, stderr %q, stdout %.80q", code, stderr, stdout)
	}
	stdout, _, code = process(t, nil, "-list")
	if code != 0 || stdout != "mutex/engine-go\nmutex/engine-go-threads\n" {
		t.Errorf("-list: code %d, %q", code, stdout)
	}
	stdout, _, code = process(t, nil, "-version")
	if code != 0 || !strings.HasPrefix(stdout, "go1.") {
		t.Errorf("-version: code %d, %q", code, stdout)
	}
}

func TestProcessRefusesInOneLine(t *testing.T) {
	pinned := bent("implementation", "mutex/engine-go-threads")
	pinned["cpus"] = []int{1000}
	for _, stdin := range [][]byte{nil, []byte("garbage"), encode(t, bent("protocol", 9)), encode(t, pinned)} {
		stdout, stderr, code := process(t, stdin)
		if code != exitUsage || stdout != "" || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%.20q: code %d, stdout %q, stderr %q", stdin, code, stdout, stderr)
		}
	}
	if stdout, stderr, code := process(t, nil, "surprise"); code != exitUsage || stdout != "" || stderr == "" {
		t.Errorf("an argument: code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
}
