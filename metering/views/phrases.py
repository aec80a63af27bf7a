"""The sentences themselves, Chinese and English, as data. Places in braces are facts, written with their unit.

Of several variants the first one counts whose facts are all there.
"""

from collections.abc import Mapping
from typing import Final

from metering.core.reasons import What, Why
from metering.views.labels import Pair

REASONS: Final[Mapping[Why, tuple[Pair, ...]]] = {
    Why.RUN_ABOVE_ENTER: (
        (
            "功率达到运行门限 {enter_mw}，按测试全额计入。",
            "Power reached the running level of {enter_mw}: measurement, credited in full.",
        ),
    ),
    Why.RUN_HELD_ABOVE_LEAVE: (
        (
            "此前已在运行，功率一直未低于退出门限 {leave_mw}，仍按测试计入。",
            "It was running before and power never fell below {leave_mw}: still measurement, credited.",
        ),
    ),
    Why.RUN_BY_LINE: (
        (
            "运行线报告正在测试，功率也不低于 {run_floor_mw}，全额计入。",
            "The run-state line reported a run and power was at least {run_floor_mw}: credited in full.",
        ),
        ("运行线报告正在测试，全额计入。", "The run-state line reported a run: credited in full."),
    ),
    Why.RUN_THROUGH_SHORT_DIP: (
        (
            "功率下降只有 {dip_ms}，短于 {dwell_off_ms}，不算运行结束，仍计入。",
            "The dip lasted {dip_ms}, less than {dwell_off_ms}: it does not end the run and is credited.",
        ),
    ),
    Why.BRIDGED_STANDBY: (
        (
            "两段测试之间停顿 {pause_ms}，不超过 {bridge_ms}，随前后测试一并计入。",
            "A pause of {pause_ms} between two runs, no longer than {bridge_ms}: credited with them.",
        ),
    ),
    Why.PREPARATION: (
        (
            "紧接着就是测试，准备时间最多计入 {prep_cap_ms}，这一段在限额之内。",
            "A run follows at once; up to {prep_cap_ms} of preparation is credited, and this is within it.",
        ),
    ),
    Why.POST_PROCESSING: (
        (
            "紧接在测试之后，后处理最多计入 {post_cap_ms}，这一段在限额之内。",
            "Straight after a run; up to {post_cap_ms} of post-processing is credited, and this is within it.",
        ),
    ),
    Why.STANDBY_TOO_LONG_TO_BRIDGE: (
        (
            "空载待机：两段测试之间停了 {pause_ms}，太长，不能随测试一并计入。",
            "Idle standby: a pause of {pause_ms} between two runs, too long to be credited with them.",
        ),
    ),
    Why.STANDBY_NO_NEIGHBOUR_RUN: (
        (
            "空载待机：前后没有紧邻的两段测试，不是运行中的停顿。",
            "Idle standby: not a pause between two runs.",
        ),
    ),
    Why.PREPARATION_BEYOND_CAP: (
        (
            "准备共 {warmup_ms}，策略最多计入测试前的 {prep_cap_ms}，这一段超出限额。",
            "Preparation took {warmup_ms}; the last {prep_cap_ms} before the run are credited, and this is beyond.",
        ),
    ),
    Why.WARMUP_WITHOUT_RUN: (
        (
            "准备之后的测试只有 {run_ms}，短于 {min_run_ms}，测试不计，准备也不计。",
            "The run after this preparation lasted {run_ms}, less than {min_run_ms}: neither is credited.",
        ),
        ("做了准备，但之后没有紧接着测试。", "Prepared, but no run followed at once."),
    ),
    Why.POST_BEYOND_CAP: (
        (
            "后处理共 {cooldown_ms}，策略最多计入测试后的 {post_cap_ms}，这一段超出限额。",
            "Post-processing took {cooldown_ms}; the first {post_cap_ms} are credited, and this is beyond.",
        ),
    ),
    Why.COOLDOWN_WITHOUT_RUN: (
        (
            "之前的测试只有 {run_ms}，短于 {min_run_ms}，测试不计，后处理也不计。",
            "The run before lasted {run_ms}, less than {min_run_ms}: neither it nor its post-processing is credited.",
        ),
        ("后处理之前没有紧邻的测试。", "Post-processing without a run straight before it."),
    ),
    Why.RUN_SHORTER_THAN_MIN_RUN: (
        (
            "这次运行只有 {run_ms}，短于策略要求的 {min_run_ms}。",
            "The run lasted {run_ms}, less than the {min_run_ms} that the policy asks for.",
        ),
    ),
    Why.DWELL_NOT_REACHED: (
        (
            "看上去在运行，但只持续 {lasted_ms}，须持续 {dwell_on_ms} 才算测试。",
            "It looked like running, but for {lasted_ms} only; it must last {dwell_on_ms} to count as a run.",
        ),
    ),
    Why.LINES_AND_POWER_DISAGREE: (
        (
            "运行线与功率不一致（功率低于 {run_floor_mw}），按较低的一方处理，并已标记。",
            "The line and the power disagree (power below {run_floor_mw}): the lower credit is taken, and flagged.",
        ),
        (
            "运行线与功率不一致，按较低的一方处理，并已标记。",
            "The line and the power disagree: the lower credit is taken, and flagged.",
        ),
    ),
    Why.RULED_OUT_BY_READINGS: (
        (
            "缺口旁的读数表明它不可能与前后的测试相连。",
            "The readings beside a gap rule out that it belongs to the runs around it.",
        ),
    ),
    Why.MAINTENANCE: (("有维护或校准工单，期间不计。", "Under a maintenance or calibration order: not credited."),),
    Why.FAULT: (("仪器报告故障，故障期间不计。", "The instrument reported a fault: not credited."),),
    Why.OFF: (
        ("功率低于 {off_mw}，仪器关机。", "Power was below {off_mw}: the instrument was off."),
        ("仪器关机。", "The instrument was off."),
    ),
    Why.NO_POLICY: (
        (
            "当时没有经批准生效的策略，无从判定。",
            "No approved policy was in force, so nothing can be judged.",
        ),
    ),
    Why.METER_NOT_BOUND: (
        (
            "当时没有登记给这台仪器的专用电表。",
            "No meter of its own was registered for the instrument then.",
        ),
    ),
    Why.OTHER_METER: (
        (
            "有读数，但来自未登记为这台仪器专用的电表。",
            "There are readings, but of a meter not registered as the instrument's own.",
        ),
    ),
    Why.CLOCK_NOT_GOOD_ENOUGH: (
        (
            "有读数，但网关时钟{clock_state}，达不到核验（L3）的要求。",
            "There are readings, but the gateway's clock was {clock_state}: not good enough for verified hours (L3).",
        ),
    ),
    Why.SIMULATED_CLOCK: (
        (
            "有读数，但用的是模拟时间，不能作为核验（L3）依据。",
            "There are readings, but of simulated time: no evidence for verified hours (L3).",
        ),
    ),
    Why.IMPORTED_READINGS: (
        (
            "有读数，但是从文件导入的，只能算遥测推导（L2）。",
            "There are readings, but imported from a file: telemetry (L2) at most.",
        ),
    ),
    Why.EQUIVOCATED: (
        (
            "数据流自相矛盾：同一序号有两个不同的帧，或前后不相链接；此后的 {doubted_frames} 帧不予采信。",
            "The stream contradicts itself (one number twice, or a broken link); {doubted_frames} frames not believed.",
        ),
    ),
    Why.OUTAGE: (
        (
            "网关签名声明这段时间没有记录：{outage_cause}。",
            "The gateway signed that nothing was recorded: {outage_cause}.",
        ),
    ),
    Why.READINGS_ABSENT: (
        (
            "网关在工作，但有 {ticks} 个采样点没有读到电表或运行线。",
            "The gateway was at work, but the meter or its lines gave no reading at {ticks} ticks.",
        ),
    ),
    Why.HOLE_IN_SEQUENCE: (
        (
            "序号不连续，缺 {missing_frames} 帧；另有 {unreadable_frames} 帧无法解读。",
            "The sequence has a hole: {missing_frames} frames are missing, and {unreadable_frames} cannot be read.",
        ),
        (
            "序号不连续，缺 {missing_frames} 帧。",
            "The sequence has a hole: frames missing: {missing_frames}.",
        ),
    ),
    Why.CONTINUITY_BROKEN: (
        (
            "网关重启、换了时钟状态、电表或数据流，前后读数之间不相连。",
            "The gateway restarted, or its clock, meter or stream changed: nothing holds between the readings.",
        ),
    ),
    Why.SILENCE: (
        (
            "两次读数相隔 {silence_ms}，超过允许的 {max_gap_ms}。",
            "{silence_ms} passed between two readings, more than the {max_gap_ms} allowed.",
        ),
    ),
    Why.NOTHING_RECEIVED: (
        (
            "没有收到可用的数据；有 {unreadable_frames} 帧无法解读。",
            "No usable data was received; frames that cannot be read: {unreadable_frames}.",
        ),
        ("没有收到可用的数据。", "No usable data was received."),
    ),
}

CHANGES: Final[Mapping[What, tuple[Pair, ...]]] = {
    What.LESS_POWER: (
        (
            "若功率低于 {leave_mw} 并持续 {dwell_off_ms}，运行即告结束。",
            "It would have ended had power been below {leave_mw} for {dwell_off_ms}.",
        ),
        ("若功率低于 {leave_mw}，运行即告结束。", "It would have ended had power been below {leave_mw}."),
    ),
    What.LINE_OPEN: (
        (
            "若运行线断开，或功率低于 {run_floor_mw}，即不再计入。",
            "It would not count with the line open, or with power below {run_floor_mw}.",
        ),
        ("若运行线断开，即不再计入。", "It would not count with the line open."),
    ),
    What.LONGER_DIP: (
        ("若下降达到 {dwell_off_ms}，运行即告结束。", "A dip of {dwell_off_ms} would have ended the run."),
    ),
    What.LONGER_PAUSE: (
        ("若停顿超过 {bridge_ms}，整段都不计。", "Longer than {bridge_ms}, none of the pause would count."),
    ),
    What.SHORTER_PAUSE: (
        (
            "不超过 {bridge_ms} 的停顿才会一并计入（这次为 {pause_ms}）。",
            "The pause was {pause_ms}; up to {bridge_ms} would have been bridged.",
        ),
    ),
    What.RUNNING_THERE: (
        (
            "功率达到 {enter_mw} 并持续 {dwell_on_ms}，就会算作测试。",
            "Power at or above {enter_mw} for {dwell_on_ms} would count as a run.",
        ),
        ("功率达到 {enter_mw}，就会算作测试。", "Power at or above {enter_mw} would count as a run."),
        (
            "运行线闭合且功率不低于 {run_floor_mw}，就会算作测试。",
            "The run line closed with power at or above {run_floor_mw} would count as a run.",
        ),
        ("运行线闭合就会算作测试。", "The run line closed would count as a run."),
    ),
    What.RUN_BESIDE: (
        (
            "若那次测试再多 {missing_ms}，它和这一段都会计入。",
            "Had that run lasted a further {missing_ms}, both would count.",
        ),
        ("若紧邻有一次测试，这一段会在限额内计入。", "With a run straight beside it, it would count up to the cap."),
    ),
    What.HIGHER_CAP: (
        (
            "限额 {prep_cap_ms} 由策略规定，只有经批准的新策略能改，且只对以后有效。",
            "The cap of {prep_cap_ms} is the policy's; only a newly approved policy changes it, for later time only.",
        ),
        (
            "限额 {post_cap_ms} 由策略规定，只有经批准的新策略能改，且只对以后有效。",
            "The cap of {post_cap_ms} is the policy's; only a newly approved policy changes it, for later time only.",
        ),
    ),
    What.LONGER_RUN: (
        (
            "若在 {bridge_ms} 之内再运行 {missing_ms}，就会计入。",
            "A further {missing_ms} of running within {bridge_ms} would have made it count.",
        ),
    ),
    What.LONGER_ABOVE: (
        (
            "若功率在 {enter_mw} 以上再持续 {missing_ms}，就会算作测试。",
            "A further {missing_ms} at or above {enter_mw} would have counted as a run.",
        ),
        ("若再持续 {missing_ms}，就会算作测试。", "A further {missing_ms} would have counted as a run."),
    ),
    What.POWER_AT_FLOOR: (
        (
            "运行线报告测试的同时，功率须不低于 {run_floor_mw}。",
            "While the line reports a run, power must be at least {run_floor_mw}.",
        ),
        ("运行线与功率须一致。", "The line and the power must agree."),
    ),
    What.MISSING_READINGS: (
        (
            "补到缺失的读数，最多可再计 {high_ms}；已缓存在网关上的数据会自动补传。",
            "The missing readings could add at most {high_ms}; what the gateway still holds is sent by itself.",
        ),
    ),
    What.POLICY_IN_FORCE: (
        (
            "只有当时已生效的策略才能判定（上界 {high_ms}）；策略不追溯。",
            "Only a policy in force at the time could judge it (at most {high_ms}); policies do not reach back.",
        ),
    ),
    What.BINDING_RECORD: (
        (
            "若登记有误，更正电表绑定后重新计算，最多可计 {high_ms}。",
            "If the registry is wrong, correcting the meter's binding could add at most {high_ms}.",
        ),
    ),
    What.GOOD_CLOCK: (
        (
            "时钟须在测量当时已同步；上界为 {high_ms}。",
            "The clock must be synchronised while measuring; at most {high_ms} lies here.",
        ),
    ),
    What.LOWER_LEVEL: (
        ("按 L2（遥测推导）查看时会用到这些读数。", "Asked for level L2 (telemetry), these readings are used."),
    ),
    What.NOTHING: (("没有可以补救的办法。", "Nothing recorded later changes this."),),
}
