/* SPDX-License-Identifier: Apache-2.0
 *
 * fiber.c - crews: a queue of jobs, fibers with stacks of their own, and on each thread a scheduler that switches between them.
 *
 * One lock guards queues, ready lists and who waits on which condition; it is held for a few list operations. A thread's sleepers are its
 * own: sorted by their time, nearly always put in at the end, since most waits are of the same length. Sanitizers are told of each switch.
 */
#include "base/fiber.h"
#include "base/alloc.h"
#include "base/clock.h"

#include <stdio.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif

enum {
    STACK_BYTES = 512 * 1024, /* of address space: some 8 KB stay touched of a question that waits for its model */
    STACKS_KEPT = 16,         /* by each thread */
    SHED_SLACK = 1024,        /* below a frame: what the wait itself calls */
    SHED_NS = 20000000        /* a wait that long is worth a call of the system */
};
#define FOREVER UINT64_MAX

struct fiber {
    ucontext_t context;
    struct member *member;
    struct takc_job job;
    char *stack;       /* with a page in front that nobody may touch */
    uintptr_t shed_at; /* where it waited when the rest of the stack was last given back */
    bool ended, is_ready;
    struct takc_cond *on; /* what it waits for; NULL: nothing, or it was woken */
    struct fiber *next;   /* on that condition, or ready */
    uint64_t until_ns;    /* on the machine's clock; FOREVER */
    struct fiber *earlier, *later;
    void *fake_stack, *tsan; /* the sanitizers' */
};

struct member { /* a thread */
    struct takc_crew *crew;
    pthread_t thread;
    pthread_cond_t moved; /* with the lock */
    bool idle;            /* sleeps on it */
    struct fiber *ready, *last_ready;
    struct fiber *soonest, *latest; /* sleepers */
    struct fiber *running;
    char *stacks[STACKS_KEPT];
    size_t n_stacks;
    ucontext_t scheduler;
    void *fake_stack, *tsan;
    const void *stack_bottom;
    size_t stack_size;
};

struct takc_crew {
    size_t running_max, waiting_max;
    unsigned n_members;
    struct member *members;
    struct {                   /* guarded by lock */
        struct takc_job *jobs; /* a ring of waiting_max */
        size_t first, n_jobs, n_running;
        bool closing;
    } locked;
};

static struct takc_mutex lock = TAKC_MUTEX_INIT;
static _Thread_local struct member *here; /* the member whose thread this is */
static _Thread_local int n_locks;

void takc_fiber_locks(int more)
{
    n_locks += more;
}

bool takc_fiber_here(void)
{
    return here && here->running;
}

static uint64_t now_ns(void)
{
    const struct takc_clock *clock = takc_clock_system();
    return clock->mono_ns(clock);
}

/* ---- switching ---- */

static void told_before(void **save, const void *bottom, size_t size, void *tsan)
{
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_start_switch_fiber(save, bottom, size);
#elif defined(__SANITIZE_THREAD__)
    __tsan_switch_to_fiber(tsan, 0);
#endif
    (void)save, (void)bottom, (void)size, (void)tsan;
}

static void told_after(void *saved, const void **out_bottom, size_t *out_size)
{
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(saved, out_bottom, out_size);
#endif
    (void)saved, (void)out_bottom, (void)out_size;
}

static void fiber_main(void)
{
    struct member *m = here;
    struct fiber *f = m->running;
    told_after(NULL, &m->stack_bottom, &m->stack_size);
    f->job.run(f->job.arg);
    f->ended = true;
    told_before(NULL, m->stack_bottom, m->stack_size, m->tsan);
    (void)setcontext(&m->scheduler);
    TAKC_BUG("a fiber goes on behind its end");
}

/* On the member's own stack: runs f until it waits or ends. */
static void resume(struct member *m, struct fiber *f)
{
    m->running = f;
    told_before(&m->fake_stack, f->stack + getpagesize(), STACK_BYTES, f->tsan);
    if (swapcontext(&m->scheduler, &f->context))
        TAKC_BUG("no switch to a fiber");
    told_after(m->fake_stack, NULL, NULL);
    m->running = NULL;
}

/* On the fiber's stack: back to the scheduler, until somebody resumes it. */
static void give_up(struct member *m, struct fiber *f)
{
    if (n_locks)
        TAKC_BUG("a fiber waits and holds a lock");
    told_before(&f->fake_stack, m->stack_bottom, m->stack_size, m->tsan);
    if (swapcontext(&f->context, &m->scheduler))
        TAKC_BUG("no switch from a fiber");
    told_after(f->fake_stack, &m->stack_bottom, &m->stack_size);
}

/* ---- lists ---- */

static void ready_add(struct member *m, struct fiber *f)
{
    f->next = NULL;
    f->is_ready = true;
    *(m->last_ready ? &m->last_ready->next : &m->ready) = f;
    m->last_ready = f;
}

static struct fiber *ready_take(struct member *m)
{
    struct fiber *f = m->ready;
    if (!f)
        return NULL;
    m->ready = f->next;
    if (!m->ready)
        m->last_ready = NULL;
    f->is_ready = false;
    return f;
}

static void sleeper_add(struct member *m, struct fiber *f)
{
    struct fiber *before = m->latest;
    while (before && before->until_ns > f->until_ns)
        before = before->earlier;
    f->earlier = before;
    f->later = before ? before->later : m->soonest;
    *(before ? &before->later : &m->soonest) = f;
    *(f->later ? &f->later->earlier : &m->latest) = f;
}

static void sleeper_remove(struct member *m, struct fiber *f)
{
    *(f->earlier ? &f->earlier->later : &m->soonest) = f->later;
    *(f->later ? &f->later->earlier : &m->latest) = f->earlier;
}

/* Takes f off the condition that it waits on. */
static void leave_locked(struct fiber *f) TAKC_REQUIRES(lock)
{
    struct fiber **at = &f->on->fibers;
    while (*at != f)
        at = &(*at)->next;
    *at = f->next;
    atomic_fetch_sub(&f->on->n_fibers, 1);
    f->on = NULL;
}

/* Whoever sleeps looks again. */
static void nudge_locked(struct member *m) TAKC_REQUIRES(lock)
{
    if (m->idle)
        (void)pthread_cond_signal(&m->moved);
    m->idle = false;
}

static void wake_locked(struct fiber *f) TAKC_REQUIRES(lock)
{
    struct member *m = f->member;
    ready_add(m, f);
    nudge_locked(m);
}

/* ---- waiting ---- */

static uint64_t after_ms(uint64_t ms)
{
    uint64_t now = now_ns();
    return ms >= (FOREVER - now) / 1000000u ? FOREVER : now + ms * 1000000u;
}

/* Gives back the pages below what the fiber uses of its stack: what was called before it waits went deeper. Not for a short wait, and not
 * where it waits in a loop. */
static void shed(struct fiber *f, uint64_t until_ns)
{
    uintptr_t page = (uintptr_t)getpagesize(), here_at = (uintptr_t)__builtin_frame_address(0);
    uintptr_t from = (uintptr_t)f->stack + page, to = (here_at - SHED_SLACK) / page * page;
    if (f->shed_at == here_at || to <= from || until_ns < now_ns() + SHED_NS)
        return;
    f->shed_at = here_at;
    (void)madvise((void *)from, to - from, MADV_DONTNEED);
}

static void wait_until(struct member *m, struct fiber *f, uint64_t until_ns)
{
    f->until_ns = until_ns;
    shed(f, until_ns);
    if (until_ns != FOREVER)
        sleeper_add(m, f);
    give_up(m, f);
    if (until_ns != FOREVER)
        sleeper_remove(m, f);
}

TAKC_UNCHECKED void takc_fiber_wait(struct takc_cond *c, struct takc_mutex *mu, uint64_t ms)
{
    struct member *m = here;
    struct fiber *f = m->running;
    takc_mutex_lock(&lock);
    struct fiber **at = &c->fibers; /* first come, first woken */
    while (*at)
        at = &(*at)->next;
    *at = f;
    f->next = NULL;
    f->on = c;
    atomic_fetch_add(&c->n_fibers, 1);
    takc_mutex_unlock(&lock);
    takc_mutex_unlock(mu);
    wait_until(m, f, after_ms(ms));
    takc_mutex_lock(mu);
}

void takc_fiber_sleep(uint64_t ns)
{
    uint64_t now = now_ns();
    wait_until(here, here->running, ns >= FOREVER - now ? FOREVER - 1 : now + ns);
}

bool takc_fiber_wake(struct takc_cond *c, bool all)
{
    bool any = false;
    if (!atomic_load(&c->n_fibers))
        return false;
    takc_mutex_lock(&lock);
    while (c->fibers && (all || !any)) {
        struct fiber *f = c->fibers;
        leave_locked(f);
        wake_locked(f);
        any = true;
    }
    takc_mutex_unlock(&lock);
    return any;
}

/* ---- fibers ---- */

static char *stack_take(struct member *m)
{
    if (m->n_stacks)
        return m->stacks[--m->n_stacks];
    size_t page = (size_t)getpagesize();
    char *s = mmap(NULL, page + STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (s == MAP_FAILED)
        return NULL;
    if (mprotect(s, page, PROT_NONE)) {
        (void)munmap(s, page + STACK_BYTES);
        return NULL;
    }
    return s;
}

static void stack_give(struct member *m, char *s)
{
    if (m->n_stacks < STACKS_KEPT)
        m->stacks[m->n_stacks++] = s;
    else
        (void)munmap(s, (size_t)getpagesize() + STACK_BYTES);
}

static void fiber_free(struct member *m, struct fiber *f)
{
#if defined(__SANITIZE_THREAD__)
    __tsan_destroy_fiber(f->tsan);
#endif
    stack_give(m, f->stack);
    takc_free(f);
}

/* NULL: no memory now. */
static struct fiber *fiber_new(struct member *m, struct takc_job job)
{
    struct fiber *f = takc_alloc(sizeof(*f));
    if (!f)
        return NULL;
    *f = (struct fiber){.member = m, .job = job, .stack = stack_take(m)};
    if (!f->stack || getcontext(&f->context)) {
        if (f->stack)
            stack_give(m, f->stack);
        takc_free(f);
        return NULL;
    }
    f->context.uc_stack.ss_sp = f->stack + getpagesize();
    f->context.uc_stack.ss_size = STACK_BYTES;
    f->context.uc_link = NULL;
    makecontext(&f->context, fiber_main, 0);
#if defined(__SANITIZE_THREAD__)
    f->tsan = __tsan_create_fiber(0);
#endif
    return f;
}

/* ---- the scheduler ---- */

static void expire_locked(struct member *m) TAKC_REQUIRES(lock)
{
    uint64_t now = m->soonest ? now_ns() : 0;
    for (struct fiber *f = m->soonest; f && f->until_ns <= now; f = f->later) {
        if (f->is_ready)
            continue;
        if (f->on)
            leave_locked(f);
        ready_add(m, f);
    }
}

static bool take_job_locked(struct takc_crew *c, struct takc_job *out) TAKC_REQUIRES(lock)
{
    if (!c->locked.n_jobs || c->locked.n_running >= c->running_max)
        return false;
    *out = c->locked.jobs[c->locked.first];
    c->locked.first = (c->locked.first + 1) % c->waiting_max;
    c->locked.n_jobs--;
    c->locked.n_running++;
    return true;
}

static void sleep_locked(struct member *m) TAKC_REQUIRES(lock)
{
    m->idle = true;
    if (m->soonest) {
        struct timespec t = {(time_t)(m->soonest->until_ns / 1000000000u), (long)(m->soonest->until_ns % 1000000000u)};
        (void)pthread_cond_timedwait(&m->moved, &lock.m, &t);
    } else {
        (void)pthread_cond_wait(&m->moved, &lock.m);
    }
    m->idle = false;
}

/* What to run next; out_job when it is to begin. false: the crew ends. */
static bool next_locked(struct member *m, struct fiber **out, struct takc_job *out_job) TAKC_REQUIRES(lock)
{
    struct takc_crew *c = m->crew;
    for (;;) {
        expire_locked(m);
        *out = ready_take(m);
        if (*out || take_job_locked(c, out_job))
            return true;
        if (c->locked.closing && !c->locked.n_running)
            return false;
        sleep_locked(m);
    }
}

static void wake_members_locked(struct takc_crew *c, bool all) TAKC_REQUIRES(lock)
{
    bool any = false;
    for (unsigned i = 0; i < c->n_members && (all || !any); i++) {
        any = any || c->members[i].idle;
        nudge_locked(&c->members[i]);
    }
}

static void ended(struct member *m)
{
    struct takc_crew *c = m->crew;
    takc_mutex_lock(&lock);
    c->locked.n_running--;
    wake_members_locked(c, c->locked.closing);
    takc_mutex_unlock(&lock);
}

/* Without memory for a fiber the thread itself does the job, and waits for it. */
static void begin(struct member *m, struct takc_job job)
{
    struct fiber *f = fiber_new(m, job);
    if (!f) {
        job.run(job.arg);
        ended(m);
        return;
    }
    resume(m, f);
    if (f->ended) {
        fiber_free(m, f);
        ended(m);
    }
}

static void *member_main(void *arg)
{
    struct member *m = arg;
    struct takc_job job;
    struct fiber *f;
    here = m;
#if defined(__SANITIZE_THREAD__)
    m->tsan = __tsan_get_current_fiber();
#endif
    for (;;) {
        takc_mutex_lock(&lock);
        bool more = next_locked(m, &f, &job);
        takc_mutex_unlock(&lock);
        if (!more)
            break;
        if (!f) {
            begin(m, job);
            continue;
        }
        resume(m, f);
        if (f->ended) {
            fiber_free(m, f);
            ended(m);
        }
    }
    while (m->n_stacks)
        (void)munmap(m->stacks[--m->n_stacks], (size_t)getpagesize() + STACK_BYTES);
    return NULL;
}

/* ---- crews ---- */

static enum takc_status member_start(struct takc_crew *c, unsigned i, const char *name, struct takc_err *err)
{
    struct member *m = &c->members[i];
    pthread_condattr_t a;
    char own[16];
    *m = (struct member){.crew = c};
    if (pthread_condattr_init(&a))
        return takc_fail(err, TAKC_NOMEM, 0, "no condition");
    int e = pthread_condattr_setclock(&a, CLOCK_MONOTONIC);
    if (!e)
        e = pthread_cond_init(&m->moved, &a);
    (void)pthread_condattr_destroy(&a);
    if (e)
        return takc_fail(err, TAKC_NOMEM, e, "no condition");
    (void)snprintf(own, sizeof(own), "%.11s-%u", name, i);
    enum takc_status st = takc_thread_start(&m->thread, own, member_main, m, err);
    if (st)
        (void)pthread_cond_destroy(&m->moved);
    return st;
}

enum takc_status takc_crew_open(struct takc_crew **out, const struct takc_crew_options *o, struct takc_err *err)
{
    struct takc_crew *c = takc_alloc(sizeof(*c));
    if (!c)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a crew");
    *c = (struct takc_crew){.running_max = o->running_max ? o->running_max : 1, .waiting_max = o->waiting_max ? o->waiting_max : 1};
    c->members = takc_alloc_array(o->n_threads, sizeof(*c->members));
    c->locked.jobs = takc_alloc_array(c->waiting_max, sizeof(*c->locked.jobs));
    enum takc_status st = c->members && c->locked.jobs ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for a crew");
    for (unsigned i = 0; i < o->n_threads && !st; i++) {
        st = member_start(c, i, o->name, err);
        takc_mutex_lock(&lock); /* those that run already look at the number */
        c->n_members += !st;
        takc_mutex_unlock(&lock);
    }
    if (st)
        takc_crew_close(c);
    else
        *out = c;
    return st;
}

enum takc_status takc_crew_push(struct takc_crew *c, struct takc_job job, struct takc_err *err)
{
    takc_mutex_lock(&lock);
    bool full = c->locked.n_jobs == c->waiting_max;
    if (!full) {
        c->locked.jobs[(c->locked.first + c->locked.n_jobs) % c->waiting_max] = job;
        c->locked.n_jobs++;
        wake_members_locked(c, false);
    }
    takc_mutex_unlock(&lock);
    return full ? takc_fail(err, TAKC_BUSY, 0, "%zu jobs wait already", c->waiting_max) : TAKC_OK;
}

void takc_crew_count(struct takc_crew *c, struct takc_crew_counts *out)
{
    takc_mutex_lock(&lock);
    *out = (struct takc_crew_counts){.running = c->locked.n_running, .waiting = c->locked.n_jobs};
    takc_mutex_unlock(&lock);
}

/* A job that nobody began yet; false: there is none. */
static bool take_back(struct takc_crew *c, struct takc_job *out)
{
    takc_mutex_lock(&lock);
    bool any = c->locked.n_jobs > 0;
    if (any) {
        *out = c->locked.jobs[c->locked.first];
        c->locked.first = (c->locked.first + 1) % c->waiting_max;
        c->locked.n_jobs--;
    }
    c->locked.closing = true;
    wake_members_locked(c, true);
    takc_mutex_unlock(&lock);
    return any;
}

void takc_crew_close(struct takc_crew *c)
{
    struct takc_job job;
    if (!c)
        return;
    while (c->locked.jobs && take_back(c, &job))
        if (job.drop)
            job.drop(job.arg);
    for (unsigned i = 0; i < c->n_members; i++) {
        (void)pthread_join(c->members[i].thread, NULL);
        (void)pthread_cond_destroy(&c->members[i].moved);
    }
    takc_free(c->members);
    takc_free(c->locked.jobs);
    takc_free(c);
}
