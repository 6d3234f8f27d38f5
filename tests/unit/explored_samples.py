"""Processes whose drawing is sound and whose cases are not: each bad one has one fault that only shows when its rules, facts
and deadlines are followed; each good one is its near neighbour, and nothing is wrong with it."""

from __future__ import annotations

HEAD = """
process: bad
title: 样例
roles: {clerk: 经办@community, lead: 书记@community, owner: {title: 当事人, who: fact person}}
"""
KIND = "kind: {title: 类别, type: enum, values: {a: 甲类, b: 乙类}, by: clerk}"
GATE = """
rules:
  way: {inputs: [kind], rows: [{id: B-1, kind: a, out: a}, {id: B-2, kind: b, out: b}]}
"""
ONLY_B = "  only_b: {list: [{id: B-3, title: 只收乙类, when: 'kind != \"b\"', outcome: BLOCK, basis: LOCAL, cite: 本地设定}]}\n"
DONE = "  done: {title: 办结, final: true}\n"


def states(text: str, final: bool = True) -> str:
    return "states:\n" + text + (DONE if final else "")


#: name -> (the code that has to be found, the process)
BAD: dict[str, tuple[str, str]] = {
    "a state behind a rule that cannot pass there": ("V032", HEAD + "facts: {" + KIND + "}\n" + GATE + ONLY_B + states("""
  draft: {title: 起草, submit: {title: 提交, by: clerk, needs: [kind], decide: way, to: {a: first, b: done}}}
  first: {title: 甲类办理, archive: {title: 归档, by: clerk, to: done}, special: {title: 转特办, by: clerk, check: [only_b], to: second}}
  second: {title: 特办, finish: {title: 办完, by: clerk, to: done}}
""")),
    "a dead end for one kind": ("V033", HEAD + "facts: {" + KIND + "}\n" + GATE + ONLY_B + states("""
  draft: {title: 起草, submit: {title: 提交, by: clerk, needs: [kind], to: review}}
  review: {title: 审核, pass: {title: 同意, by: lead, check: [only_b], to: done}}
""")),
    "going round for ever": ("V033", HEAD + "facts: {" + KIND + "}\n" + GATE + ONLY_B + states("""
  draft: {title: 起草, submit: {title: 提交, by: clerk, needs: [kind], to: review}}
  review: {title: 审核, pass: {title: 同意, by: lead, check: [only_b], to: done}, back: {title: 退回再看, by: lead, to: waiting}}
  waiting: {title: 等待, again: {title: 再送审, by: clerk, to: review}}
""")),
    "after two supplements nobody may act": ("V033", HEAD + "facts: {note: {title: 说明, by: clerk}, times: {title: 补正次数, type: integer, min: 0, by: clerk}}\n" + """
rules:
  most: {list: [{id: B-1, title: 最多补正两次, when: times >= 2, outcome: BLOCK, basis: LOCAL, cite: 本地设定}]}
""" + states("""
  draft: {title: 起草, submit: {title: 提交, by: clerk, needs: [note], set: {times: "0"}, to: review}}
  review: {title: 审核, pass: {title: 同意, by: lead, check: [most], to: done}, fix: {title: 要求补正, by: lead, check: [most], to: fixing}}
  fixing: {title: 补正, fixed: {title: 补正, by: clerk, set: {times: times + 1}, to: review}}
""")),
    "a branch that was led away before": ("V034", HEAD + "facts: {" + KIND + "}\n" + GATE + states("""
  draft: {title: 起草, submit: {title: 提交, by: clerk, needs: [kind], decide: way, to: {a: first, b: done}}}
  first: {title: 甲类办理, send: {title: 分办, by: clerk, decide: way, to: {a: done, b: away}}}
  away: {title: 转出, finish: {title: 办完, by: clerk, to: done}, revise: {title: 改类别, by: clerk, needs: [kind], to: first}}
""")),
    "a step its rules never let pass": ("V034", HEAD + "facts: {" + KIND + "}\n" + GATE + ONLY_B + states("""
  draft: {title: 起草, submit: {title: 提交, by: clerk, needs: [kind], decide: way, to: {a: first, b: done}}}
  first: {title: 甲类办理, archive: {title: 归档, by: clerk, to: done}, special: {title: 按乙类办结, by: clerk, check: [only_b], to: done}}
""")),
    "two checks that contradict each other": ("V034", HEAD + "facts: {n: {title: 人数, type: integer, min: 0, by: clerk}, m: {title: 户数, type: integer, min: 0, by: clerk}}\n" + """
rules:
  more: {list: [{id: B-1, title: 人数须多于户数, when: n <= m, outcome: BLOCK, basis: LOCAL, cite: 本地设定}]}
  fewer: {list: [{id: B-2, title: 人数须少于户数, when: n >= m, outcome: BLOCK, basis: LOCAL, cite: 本地设定}]}
""" + states("""
  draft: {title: 起草, submit: {title: 提交, by: clerk, needs: [n, m], check: [more, fewer], to: done}, drop: {title: 不办了, by: clerk, to: done}}
""")),
    "a rule before its fact": ("V035", HEAD + "facts: {ok: {title: 查过, type: boolean, by: lead}}\n" + """
rules:
  seen: {list: [{id: B-1, title: 没有查过, when: not(ok), outcome: BLOCK, basis: LOCAL, cite: 本地设定}]}
""" + states("""
  draft: {title: 起草, submit: {title: 提交, by: clerk, check: [seen], to: review}, skip: {title: 直接送审, by: clerk, to: review}}
  review: {title: 审核, look: {title: 查看, by: lead, needs: [ok], to: done}}
""")),
    "a fact missing on one of two ways": ("V035", HEAD + "facts: {ok: {title: 查过, type: boolean, by: lead}}\n" + """
rules:
  seen: {list: [{id: B-1, title: 没有查过, when: not(ok), outcome: BLOCK, basis: LOCAL, cite: 本地设定}]}
""" + states("""
  draft: {title: 起草, submit: {title: 提交, by: clerk, to: review}, urgent: {title: 加急, by: clerk, to: ready}}
  review: {title: 审核, look: {title: 查看, by: lead, needs: [ok], to: ready}}
  ready: {title: 待办结, finish: {title: 办结, by: clerk, check: [seen], to: done}, drop: {title: 不办了, by: clerk, to: done}}
""")),
    "waiting for a deadline without a beginning": ("V035", HEAD + "facts: {posted: {title: 张贴日, type: date, by: clerk}}\n" + states("""
  draft: {title: 起草, post: {title: 张贴, by: clerk, needs: [posted], to: shown}, show: {title: 口头告知, by: clerk, to: shown}}
  shown:
    title: 公示
    due: {title: 公示期, after: 7 days, start: posted, then: remind}
    finish: {title: 期满办结, by: clerk, not_before: due, to: done}
    drop: {title: 撤下, by: clerk, to: done}
""")),
    "deadlines that fire one another": ("V036", HEAD + states("""
  draft: {title: 起草, submit: {title: 提交, by: clerk, to: wait}}
  wait: {title: 等候, due: {title: 等, after: 3 days, then: wake}, wake: {title: 唤醒, auto: true, to: rest}, stop: {title: 办结, by: clerk, to: done}}
  rest: {title: 搁置, due: {title: 歇, after: 2 workdays, then: sleep}, sleep: {title: 再等, auto: true, to: wait}}
""")),
    "two deadlines on one day": ("V037", HEAD + states("""
  draft: {title: 起草, submit: {title: 提交, by: clerk, to: wait}}
  wait:
    title: 等候
    dues:
      five: {title: 五个工作日, after: 5 workdays, then: pass}
      week: {title: 一周, after: 7 days, then: fail}
    pass: {title: 视为同意, auto: true, to: done}
    fail: {title: 视为放弃, auto: true, to: failed}
  failed: {title: 放弃, final: true, main: false}
""")),
    "a deadline that never gets its turn": ("V037", HEAD + states("""
  draft: {title: 起草, submit: {title: 提交, by: clerk, to: wait}}
  wait:
    title: 等候
    dues:
      five: {title: 五天, after: 5 days, then: pass}
      month: {title: 两个月, after: 2 months, then: fail}
    pass: {title: 视为同意, auto: true, to: done}
    fail: {title: 视为放弃, auto: true, to: failed}
  failed: {title: 放弃, final: true, main: false}
""")),
    "a person nobody named": ("V038", HEAD + "facts: {person: {title: 姓名, type: person, by: clerk}}\n" + states("""
  draft: {title: 起草, submit: {title: 提交, by: clerk, needs: [person], to: wait}, quick: {title: 简易提交, by: clerk, to: wait}}
  wait: {title: 等当事人, agree: {title: 同意, by: owner, to: done}, drop: {title: 不办了, by: clerk, to: done}}
""")),
    "four eyes and one person": ("V038", HEAD + "opening: [person]\nfacts: {person: {title: 姓名, type: person, by: clerk}}\n" + states("""
  draft: {title: 起草, submit: {title: 提交, by: owner, to: wait}}
  wait: {title: 复核, agree: {title: 复核, by: owner, not_same_as: draft, to: done}, drop: {title: 不办了, by: clerk, to: done}}
""")),
}  # fmt: skip

GOOD: dict[str, str] = {
    "the special way takes the kind anew": HEAD + "facts: {" + KIND + "}\n" + GATE + ONLY_B + states("""
  draft: {title: 起草, submit: {title: 提交, by: clerk, needs: [kind], decide: way, to: {a: first, b: done}}}
  first: {title: 甲类办理, archive: {title: 归档, by: clerk, to: done}, special: {title: 转特办, by: clerk, asks: [kind], check: [only_b], to: second}}
  second: {title: 特办, finish: {title: 办完, by: clerk, to: done}}
"""),
    "the other kind may be refused": HEAD + "facts: {" + KIND + "}\n" + GATE + ONLY_B + states("""
  draft: {title: 起草, submit: {title: 提交, by: clerk, needs: [kind], to: review}}
  review: {title: 审核, pass: {title: 同意, by: lead, check: [only_b], to: done}, refuse: {title: 不同意, by: lead, to: done}}
"""),
    "the round can be left": HEAD + "facts: {" + KIND + "}\n" + GATE + ONLY_B + states("""
  draft: {title: 起草, submit: {title: 提交, by: clerk, needs: [kind], to: review}}
  review: {title: 审核, pass: {title: 同意, by: lead, check: [only_b], to: done}, back: {title: 退回再看, by: lead, to: waiting}}
  waiting: {title: 等待, again: {title: 再送审, by: clerk, needs: [kind], to: review}}
"""),
    "after two supplements it may be withdrawn": HEAD + "facts: {note: {title: 说明, by: clerk}, times: {title: 补正次数, type: integer, min: 0, by: clerk}}\n" + """
rules:
  most: {list: [{id: B-1, title: 最多补正两次, when: times >= 2, outcome: BLOCK, basis: LOCAL, cite: 本地设定}]}
""" + states("""
  draft: {title: 起草, submit: {title: 提交, by: clerk, needs: [note], set: {times: "0"}, to: review}}
  review: {title: 审核, pass: {title: 同意, by: lead, to: done}, fix: {title: 要求补正, by: lead, check: [most], to: fixing}}
  fixing: {title: 补正, fixed: {title: 补正, by: clerk, set: {times: times + 1}, to: review}}
"""),
    "both branches after a new answer": HEAD + "facts: {" + KIND + "}\n" + GATE + states("""
  draft: {title: 起草, submit: {title: 提交, by: clerk, needs: [kind], decide: way, to: {a: first, b: done}}}
  first: {title: 甲类办理, send: {title: 分办, by: clerk, needs: [kind], decide: way, to: {a: done, b: away}}}
  away: {title: 转出, finish: {title: 办完, by: clerk, to: done}}
"""),
    "two checks that agree": HEAD + "facts: {n: {title: 人数, type: integer, min: 0, by: clerk}, m: {title: 户数, type: integer, min: 0, by: clerk}}\n" + """
rules:
  more: {list: [{id: B-1, title: 人数须多于户数, when: n <= m, outcome: BLOCK, basis: LOCAL, cite: 本地设定}]}
  most: {list: [{id: B-2, title: 人数不超过户数两倍, when: n > m * 2, outcome: BLOCK, basis: LOCAL, cite: 本地设定}]}
""" + states("""
  draft: {title: 起草, submit: {title: 提交, by: clerk, needs: [n, m], check: [more, most], to: done}}
"""),
    "a rule beside its fact": HEAD + "facts: {ok: {title: 查过, type: boolean, by: lead}}\n" + """
rules:
  seen: {list: [{id: B-1, title: 没有查过, when: not(ok), outcome: BLOCK, basis: LOCAL, cite: 本地设定}]}
""" + states("""
  draft: {title: 起草, submit: {title: 提交, by: clerk, to: review}}
  review: {title: 审核, look: {title: 查看, by: lead, asks: [ok], to: ready}, skip: {title: 免查, by: lead, to: ready}}
  ready: {title: 待办结, finish: {title: 办结, by: clerk, asks: [ok], check: [seen], to: done}}
"""),
    "only a warning wants the fact": HEAD + "facts: {ok: {title: 查过, type: boolean, by: lead}}\n" + """
rules:
  seen: {list: [{id: B-1, title: 没有查过, when: not(ok), outcome: WARN, basis: LOCAL, cite: 本地设定}]}
""" + states("""
  draft: {title: 起草, submit: {title: 提交, by: clerk, to: review}, urgent: {title: 加急, by: clerk, to: ready}}
  review: {title: 审核, look: {title: 查看, by: lead, needs: [ok], to: ready}}
  ready: {title: 待办结, finish: {title: 办结, by: clerk, check: [seen], to: done}}
"""),
    "the deadline begins with the state": HEAD + "facts: {posted: {title: 张贴日, type: date, by: clerk}}\n" + states("""
  draft: {title: 起草, post: {title: 张贴, by: clerk, needs: [posted], to: shown}, show: {title: 口头告知, by: clerk, needs: [posted], to: shown}}
  shown:
    title: 公示
    due: {title: 公示期, after: 7 days, start: posted, then: remind}
    finish: {title: 期满办结, by: clerk, not_before: due, to: done}
"""),
    "the clock leads to a person": HEAD + states("""
  draft: {title: 起草, submit: {title: 提交, by: clerk, to: wait}}
  wait: {title: 等候, due: {title: 等, after: 3 days, then: wake}, wake: {title: 唤醒, auto: true, to: rest}, stop: {title: 办结, by: clerk, to: done}}
  rest: {title: 搁置, due: {title: 歇, after: 2 workdays, then: remind}, sleep: {title: 再等, by: clerk, to: wait}}
"""),
    "two deadlines set apart": HEAD + "facts: {ok: {title: 查过, type: boolean, by: clerk}}\n" + """
rules:
  seen: {list: [{id: B-1, title: 没有查过, when: not(ok), outcome: BLOCK, basis: LOCAL, cite: 本地设定}]}
""" + states("""
  draft: {title: 起草, submit: {title: 提交, by: clerk, needs: [ok], to: wait}}
  wait:
    title: 等候
    dues:
      five: {title: 五天, after: 5 days, then: pass}
      month: {title: 两个月, after: 2 months, then: fail}
    pass: {title: 视为同意, auto: true, check: [seen], to: done}
    fail: {title: 视为放弃, auto: true, to: failed}
  failed: {title: 放弃, final: true, main: false}
"""),
    "the person is named on every way": HEAD + "facts: {person: {title: 姓名, type: person, by: clerk}}\n" + states("""
  draft: {title: 起草, submit: {title: 提交, by: clerk, needs: [person], to: wait}, quick: {title: 简易提交, by: clerk, needs: [person], to: wait}}
  wait: {title: 等当事人, agree: {title: 同意, by: owner, to: done}}
"""),
    "four eyes and two persons": HEAD + "opening: [person]\nfacts: {person: {title: 姓名, type: person, by: clerk}}\n" + states("""
  draft: {title: 起草, submit: {title: 提交, by: owner, to: wait}}
  wait: {title: 复核, agree: {title: 复核, by: [owner, lead], not_same_as: draft, to: done}}
"""),
}  # fmt: skip
