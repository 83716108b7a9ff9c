"""All the commands, and which of them is next."""
from act import Act, Says
from life import Life
from states import States
from volumes import ANONYMOUS, Volumes


class Acts(Life, States, Volumes):
    ASKS = ("wait", "logs", "attach")
    ALONE = ("pool",)  # it wants the store for itself, and its devices whole
    LASTS = ("wait", "attach")  # where the container is started meanwhile
    WEIGHTS = {
        "create": 4, "run": 5, "run_d": 9, "start": 9, "start_a": 3, "stop": 7,
        "restart": 5, "kill": 4, "pause": 6, "unpause": 5, "exec": 9,
        "update": 4, "rename": 4, "rm": 6, "wait": 2, "logs": 3, "commit": 6,
        "tag": 3, "rmi": 4, "rmi_nameless": 2, "snapshot": 7, "clone": 2,
        "attach": 1, "pool_stop": 2, "volume": 14, "trim": 4,
    }

    def choose(self, model):
        """Few enough things for the next step to meet one again."""
        if len(model.containers) > 7:
            return self.rm_some(model)
        if len(model.containers) < 3:
            verb = self.rng.choice(("create", "run", "run_d", "run_d"))
        elif len(model.images) > 6:
            verb = self.rng.choice(("rmi", "rmi_nameless"))
        else:
            verb = self.rng.choices(list(self.WEIGHTS),
                                    list(self.WEIGHTS.values()))[0]
        return getattr(self, verb)(model)

    def choose_change(self, model):
        """One that does something, or tries to."""
        while True:
            act = self.choose(model)
            if act.verb() not in self.ASKS + self.ALONE:
                return act

    def choose_two(self, model):
        """Of the same things, more often than not."""
        one = self.choose_change(model)
        for _ in range(self.rng.randrange(20)):
            other = self.choose(model)
            if one.meets(other):
                break
        else:
            other = self.choose(model)
        if other.verb() in self.ALONE or (
                other.verb() in self.LASTS and
                one.verb() in ("start", "restart")):
            other = self.logs(model)
        return one, other

    def rm_some(self, model):
        name = self.rng.choice(sorted(model.containers))

        def effect(m):
            if name in m.containers:
                m.remove(name, True)
            return Says()
        return Act(["rm", "-f", "-v", name], effect, [name],
                   volumes=[ANONYMOUS])
