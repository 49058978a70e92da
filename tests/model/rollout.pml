/* The world of rollout.py once more, for Spin: two executors, one Azure, one person, one gate.
 *
 *   spin -a rollout.pml && cc -O1 -DNFAIR=5 -o pan pan.c
 *   ./pan -m200000 -a -N stays         safety, assertions included
 *   ./pan -m200000 -a -f -N settles    liveness, weakly fair
 *
 * Each protection can be switched off, and the model must then fail: -DNO_RECHECK -DNO_BOUND -DNO_TAKE_OVER_BOUND
 * -DSAME_GENERATION -DEDGE -DONE_READING -DGATE_UNFENCED -DMANY_EXPLANATIONS. The faults are numbers: -DCRASHES=1
 * -DPAUSES=1 -DLOSSES=1 -DFAILURES=1. Everything that happens "some time" is a process of its own, so that weak fairness reaches it; `Time`
 * never ends, so that a run that waits for ever is a cycle and not an end.
 */
#ifndef CRASHES
#define CRASHES 1
#endif
#ifndef PAUSES
#define PAUSES 0
#endif
#ifndef LOSSES
#define LOSSES 1
#endif
#ifndef FAILURES
#define FAILURES 0
#endif

#define BASE 0
#define CANARY 1
#define FULL 2
#define NOBODY 2
#define DEAD 3
#define CALLS 4

/* the state of whoever owns the endpoint, and what an executor does next */
#define NONE 0
#define APPLYING 1
#define VERIFYING 2
#define BAKING 3
mtype = { Wait, Put, Accept, Confirm, StepDone, Again, StepOver, RollBack }
/* where a call is */
#define FREE 0
#define WRITTEN 1
#define FLYING 2
#define TAKEN 3
#define REFUSED 4
#define GONE 5

typedef Call { byte place; byte generation; byte split; byte epoch; byte worker; bool silent; bool open; bool late; bool newest }
Call calls[CALLS];

byte split = BASE, shown = BASE, wanted = BASE;
bool busy = false;
byte holder = NOBODY, epoch = 0, generation = 1;
bool held = false;
byte state = APPLYING, step = 0;
bool back = false, done = false, by_person = false, confirmed = false, accepted = false, answered = false, finished = false;
byte crashes = CRASHES, pauses = PAUSES, losses = LOSSES, failures = FAILURES;

#define TARGET (back -> BASE : (step -> FULL : CANARY))
#define BEFORE (step -> CANARY : BASE)
#define PENDING(i) (calls[i].place != FREE && calls[i].open && !calls[i].late)
#define SILENT(i) (PENDING(i) && calls[i].silent)
#define ANY(p) (p(0) || p(1) || p(2) || p(3))
#define MINE(i) (PENDING(i) && calls[i].generation == generation)
#define RIVAL(i) (PENDING(i) && calls[i].generation != generation)
#define IN_THE_MIDDLE(i) (SILENT(i) && calls[i].epoch < calls[slot].epoch && calls[i].place <= FLYING)
#define NEWER(i) (calls[i].place > WRITTEN && calls[i].generation > calls[k].generation)

/* A row is forgotten when nothing can come of it any more. */
inline forget(i) {
  if
  :: calls[i].place != FREE && calls[i].place != FLYING && calls[i].worker == NOBODY &&
     (!calls[i].open || (calls[i].late && calls[i].generation != generation)) ->
     calls[i].place = FREE; calls[i].generation = 0; calls[i].split = 0; calls[i].epoch = 0;
     calls[i].silent = false; calls[i].open = false; calls[i].late = false; calls[i].newest = false
  :: else
  fi
}
inline forget_all() { forget(0); forget(1); forget(2); forget(3) }

inline roll_back(person) {
  assert(person || !by_person);  /* a gate never undoes what a person ordered */
  back = true; by_person = person; state = APPLYING; confirmed = false; accepted = false; answered = false;
#ifndef SAME_GENERATION
  generation = generation + 1;
#endif
}

inline end_here() { state = NONE; confirmed = false; accepted = false; answered = false; generation = generation + 1; forget_all() }

inline decide() {
  action = Wait;
  if
  :: state == BAKING -> if :: action = StepOver :: action = RollBack fi
#ifdef EDGE
  :: state == VERIFYING -> if :: !busy -> action = StepDone :: else fi
#else
  :: state == VERIFYING ->
     if
     :: busy || (confirmed && shown != split)
     :: else ->
        if
        :: shown == TARGET && confirmed -> action = StepDone
#ifdef ONE_READING
        :: shown == TARGET && !confirmed -> action = StepDone
#else
        :: shown == TARGET && !confirmed -> action = Confirm
#endif
        :: shown != TARGET && shown == split -> action = Again
        :: else
        fi
     fi
#endif
  :: state == APPLYING ->
     if
#ifndef NO_BOUND
     :: ANY(RIVAL)
#endif
     :: else ->
        if
        :: busy
        :: else ->
           if
           :: shown == TARGET || accepted -> action = Accept
           :: shown != TARGET && !accepted && back -> action = Put
#ifndef NO_BOUND
           :: shown != TARGET && !accepted && !back && ANY(MINE)
#endif
           :: else -> if :: shown == BEFORE && !back -> action = Put :: else fi
           fi
        fi
     fi
  :: else
  fi
}

#define FENCED !(held && holder == me && epoch == my_epoch && generation == my_generation && state == my_state)
#ifdef NO_TAKE_OVER_BOUND
#define MAY_TAKE_OVER (!held && shown == split)
#else
#define MAY_TAKE_OVER (!held && shown == split && (holder == NOBODY || !ANY(SILENT)))
#endif

#define EXPLAINS(i) (calls[i].place != FREE && calls[i].open && calls[i].generation == generation && calls[i].split == TARGET)
#define OLDER(i) (EXPLAINS(i) && !calls[i].newest)

/* One call explains what Azure shows: one that was answered, or else the oldest. Slots know no order but which one is the newest. */
inline adopt() {
  i = 0;
#ifndef MANY_EXPLANATIONS
  if :: answered -> i = CALLS :: else fi;
#endif
  do
  :: i < CALLS ->
     if
     :: EXPLAINS(i) && (!calls[i].newest || !ANY(OLDER)) -> calls[i].open = false; break
     :: else -> i = i + 1
     fi
  :: else -> break
  od;
  i = 0
}

inline act() {
  if
  :: action == Accept -> adopt(); state = VERIFYING; confirmed = false; accepted = false; forget_all()
  :: action == Confirm -> confirmed = true
  :: action == Again -> state = APPLYING; confirmed = false; accepted = false
  :: action == StepDone && back -> done = true; end_here()
  :: action == StepDone && !back -> state = BAKING; confirmed = false; accepted = false
  :: action == StepOver && step == 0 -> step = 1; state = APPLYING; accepted = false; answered = false
  :: action == StepOver && step == 1 -> finished = true; end_here()
  :: action == RollBack -> roll_back(false)
  :: else -> assert(false)
  fi
}

inline open_call() {
  calls[0].newest = false; calls[1].newest = false; calls[2].newest = false; calls[3].newest = false;
  slot = 0;
  do :: calls[slot].place != FREE -> slot = slot + 1 :: else -> break od;
  assert(slot < CALLS);
  calls[slot].place = WRITTEN; calls[slot].generation = my_generation; calls[slot].split = my_split;
  calls[slot].epoch = my_epoch; calls[slot].worker = me; calls[slot].silent = true; calls[slot].open = true;
  calls[slot].late = false; calls[slot].newest = true; accepted = false
}

inline hear(closes, in_silence) {
  calls[slot].open = !closes; calls[slot].silent = in_silence; calls[slot].worker = NOBODY; forget_all(); slot = 0
}

inline crash() {
  crashes = crashes - 1;
  if :: holder == me -> holder = DEAD :: else fi;
  if
  :: calls[slot].place != FREE && calls[slot].worker == me ->
     calls[slot].worker = NOBODY;
     if :: calls[slot].place == WRITTEN -> calls[slot].place = GONE :: else fi
  :: else
  fi;
  forget_all()
}

inline clear() { action = Wait; my_epoch = 0; my_generation = 0; my_state = 0; my_split = 0; slot = 0; i = 0; fenced = false }

proctype Executor(byte me) {
  mtype action = Wait;
  byte my_epoch, my_generation, my_state, my_split, slot, i;
  bool fenced;
idle:
  if
  :: atomic {
       state != NONE && ((holder == me) || MAY_TAKE_OVER) ->
       if :: holder != me -> epoch = epoch + 1 :: else fi;
       holder = me; held = true;
       decide();
       if
       :: action == Wait -> goto idle
       :: else -> my_epoch = epoch; my_generation = generation; my_state = state; my_split = TARGET
       fi
     }
  :: atomic { state == NONE && holder == me -> holder = NOBODY; held = false; goto idle }
  fi;
  if
  :: atomic { crashes > 0 -> crash(); clear(); goto idle }
  :: atomic {
       fenced = FENCED;
#ifdef NO_RECHECK
       if :: action == Put -> fenced = false :: else fi;
#endif
#ifdef GATE_UNFENCED
       if :: action == RollBack -> fenced = false :: else fi;
#endif
       if
       :: fenced -> clear(); goto idle
       :: !fenced && action != Put -> act(); clear(); goto idle
       :: !fenced && action == Put -> open_call()
       fi
     }
  fi;
  if
  :: atomic { crashes > 0 -> crash(); clear(); goto idle }
  :: atomic {
       if
       :: calls[slot].late -> calls[slot].place = GONE; hear(true, false); clear(); goto idle
       :: else -> assert(!ANY(IN_THE_MIDDLE)); calls[slot].place = FLYING
       fi
     }
  fi;
  if
  :: atomic { crashes > 0 -> crash(); clear(); goto idle }
  :: atomic {
       calls[slot].place == TAKEN ->
       fenced = FENCED;
       if
       :: !fenced -> hear(true, false); state = VERIFYING; confirmed = false; accepted = false
       :: else ->
          if
          :: calls[slot].generation == generation && calls[slot].split == TARGET ->
             answered = true; accepted = accepted || calls[slot].newest
          :: else
          fi;
          hear(true, false)
       fi;
       clear(); goto idle
     }
  :: atomic { calls[slot].place == REFUSED -> hear(true, false); clear(); goto idle }
  :: atomic { calls[slot].place == GONE -> hear(false, false); clear(); goto idle }
  :: atomic { losses > 0 && calls[slot].place != GONE -> losses = losses - 1; hear(false, false); clear(); goto idle }
  fi
}

proctype Person() { atomic { !back -> roll_back(true) } }

/* One process per call slot, for what happens to it on the way; one more for the end of its bound. */
proctype OnTheWay(byte k) {
  do
  :: atomic {
       calls[k].place == FLYING ->
       if
       :: busy -> calls[k].place = REFUSED
       :: !busy ->
          assert(!(ANY(NEWER)) && !(done && calls[k].split != BASE));
          calls[k].place = TAKEN; busy = true; wanted = calls[k].split
       :: losses > 0 -> losses = losses - 1; calls[k].place = GONE
       fi;
       forget(k)
     }
  od
}
proctype Bound(byte k) {
  do
  :: atomic {
       PENDING(k) && calls[k].place != FLYING && !(calls[k].place == WRITTEN && held && holder == calls[k].worker) ->
       calls[k].late = true; forget(k)
     }
  od
}

proctype Operation() {
  do
  :: atomic {
       busy -> busy = false;
       if :: split = wanted :: failures > 0 -> failures = failures - 1 fi;
       wanted = BASE
     }
  od
}
proctype Showing() { do :: shown != split -> atomic { shown = split } od }
proctype Lapse() { do :: atomic { held && holder == DEAD -> held = false } od }
proctype Pause() { do :: atomic { pauses > 0 && held && holder < NOBODY -> held = false; pauses = pauses - 1 } :: pauses == 0 -> break od }
proctype Time() { do :: epoch < 255 od }

init {
  byte n = 0;
  atomic {
    do :: n < CALLS -> calls[n].worker = NOBODY; run OnTheWay(n); run Bound(n); n = n + 1 :: else -> break od;
    run Executor(0); run Executor(1); run Person(); run Operation(); run Showing(); run Lapse(); run Pause(); run Time()
  }
}

ltl stays { [] (done -> split == BASE) }
ltl settles { <> [] ((back -> (done && split == BASE)) && (!back -> finished)) }
