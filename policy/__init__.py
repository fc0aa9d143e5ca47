"""The law as data: editions, criteria, targets, rewards and measures, and what follows from them.

Every threshold, quota, amount and date lives in ``policy/data`` beside document, clause, source and
confidence; the modules hold operators only. ``loading.load`` gives a :class:`policy.law.Law`,
``inputs.of_panel`` the facts of all firms for one fiscal year, ``verdict.judge`` the verdicts.
"""
