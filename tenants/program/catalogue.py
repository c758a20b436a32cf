"""What findings say, by code, in English and Chinese: what is wrong, and what to write instead.

A parameter ending in ``_zh`` replaces its namesake in Chinese. The sentences of compliance rules are in ``profiles/``.
"""

Words = tuple[str, str]

TEXT: dict[str, Words] = {
    "NOT_READABLE": ("The document cannot be read: {why}.", "无法读取文档：{why}。"),
    "TOO_LARGE": (
        "The document has {size} characters; at most {limit} are read.",
        "文档有 {size} 个字符，最多读取 {limit} 个。",
    ),
    "DUPLICATE_KEY": ("The key {key} appears twice; keep one of them.", "键 {key} 重复出现，请只保留一个。"),
    "NOT_PLAIN_DATA": (
        "Anchors, aliases, tags and several documents are not read; write the values out in one document.",
        "不支持锚点、别名、标签或多个文档，请在一个文档中直接写出各值。",
    ),
}
"""What keeps a text from being read."""

STRUCTURE: dict[str, Words] = {
    "UNKNOWN_KEY": (
        "There is no setting {key}{hint}. Remove or rename it.",
        "没有名为 {key} 的设置{hint}。请删除或更名。",
    ),
    "MISSING_KEY": ("The setting {key} is missing; add it.", "缺少设置 {key}，请补上。"),
    "WRONG_TYPE": ("{value} is not {expected}{hint}.", "{value} 不是{expected}{hint}。"),
    "UNKNOWN_CHOICE": ("{value} is not one of {choices}{hint}.", "{value} 不在可选值 {choices} 之中{hint}。"),
    "OUT_OF_RANGE": (
        "{value} is out of range; the closest allowed value is {closest}.",
        "{value} 超出范围，最接近的允许值为 {closest}。",
    ),
    "BAD_TEXT": ("{value} does not have the form required here: {form}.", "{value} 不符合此处要求的格式：{form}。"),
    "BAD_LENGTH": (
        "This has {length} entries or characters; the closest allowed number is {closest}.",
        "此处有 {length} 项或字符，最接近的允许数量为 {closest}。",
    ),
    "INVALID_VALUE": ("{value} is not accepted: {why}.", "{value} 不被接受：{why}。"),
}
"""What is wrong with the structure."""

SENSE: dict[str, Words] = {
    "CURRENCY_UNKNOWN": (
        "{value} is no currency of ISO 4217; write e.g. CNY.",
        "{value} 不是 ISO 4217 货币代码，例如可写 CNY。",
    ),
    "DUPLICATE_CODE": (
        "{value} is used twice; codes are unique.",
        "{value} 重复使用；代码必须唯一，请更换其一。",
    ),
    "UNKNOWN_TIER": (
        "There is no tier {value}{hint}; add it to tiers or correct the code.",
        "没有级别 {value}{hint}；请在 tiers 中添加或更正代码。",
    ),
    "UNKNOWN_PROFILE": (
        "There is no compliance profile {value}; there are {choices}{hint}.",
        "没有合规档案 {value}；可选 {choices}{hint}。",
    ),
    "NEVER_IN_EFFECT": (
        "effective_until {until} is not after effective_from {start}; give a later day or null.",
        "effective_until {until} 不晚于 effective_from {start}；请填写更晚的日期或 null。",
    ),
    "NOTHING_LEFT_TO_PAY": (
        "Fee and withholding together are {sum} bps; at most 10000. Lower one of them by {excess} bps.",
        "手续费与预扣合计 {sum} 个基点，最多 10000。请将其一降低 {excess} 个基点。",
    ),
    "PAYOUT_BOUNDS_CROSSED": (
        "At most {value} is paid out, yet at least {closest}: nothing can be. Set {closest} or more, or null for no "
        "maximum.",
        "最高提现额 {value} 低于最低提现额 {closest}，无法提现。请设为 {closest} 或更高，或设为 null 表示不限。",
    ),
    "WITHHELD_TWICE": (
        "Brackets are set, so this rate of {value} bps is never used. Set 0, or remove the brackets.",
        "已设置分档，此处的 {value} 个基点不会生效。请设为 0，或删除分档。",
    ),
    "CONDITION_TOO_DEEP": (
        "Conditions are nested {depth} deep; at most {limit}. Write this one without all and any inside.",
        "条件嵌套了 {depth} 层，最多 {limit} 层。请将此处改写为不再嵌套 all 或 any 的条件。",
    ),
    # commission
    "LEVEL_UNIT": (
        "A level has either rate_bps or per_piece_minor; give exactly one.",
        "每一层只能填 rate_bps 或 per_piece_minor 其中之一，请恰好填写一个。",
    ),
    "RATE_ABOVE_WHOLE": (
        "{value} bps is above the whole; the closest allowed value is 10000.",
        "{value} 个基点超过 100 %；最接近的允许值为 10000。",
    ),
    "LEVELS_BEYOND_PAID_LEVELS": (
        "{count} levels are listed from the seller, hierarchy.paid_levels allows {limit}: raise it or remove the last.",
        "自销售者起列出了 {count} 层，而 hierarchy.paid_levels 只允许 {limit} 层：请提高该设置或删去最后几层。",
    ),
    "OVERRIDE_BEYOND_TABLE": (
        "The override lists {count} levels, the table has {limit}: remove the last or add levels to the table.",
        "该覆盖值列出 {count} 层，而表中只有 {limit} 层：请删去多余的，或在表中增加层级。",
    ),
    "RATES_EXCEED_WHOLE": (
        "The rates that can apply to {what} add up to {sum} bps, above 10000; lower them by {excess} bps.",
        "可同时适用于{what}的比例合计 {sum} 个基点，超过 10000；请合计降低 {excess} 个基点。",
    ),
    "BANDS_NOT_RISING": (
        "{value} is not above {before}, the bound before; the closest allowed value is {closest}.",
        "{value} 未高于前一档的 {before}；最接近的允许值为 {closest}。",
    ),
    "PIECE_EXTRA_FALLS": (
        "Beyond this bound a piece brings {value}, less than the {before} before, for all pieces of the period: the "
        "order that passes it would earn less than nothing. The closest allowed value is {closest}.",
        "超过此数量后每件加价 {value}，低于前一档的 {before}，且适用于整个周期的全部件数："
        "跨档的订单所得将为负数。最接近的允许值为 {closest}。",
    ),
    # prices
    "PURCHASE_ABOVE_GUIDE": (
        "The purchase price {value} is above the guide price; the closest allowed value is {closest}.",
        "进货价 {value} 高于指导零售价；最接近的允许值为 {closest}。",
    ),
    "PROMOTION_BELOW_FLOOR": (
        "{sku} could cost {value} minor units a piece, below the floor {floor} of its band; the closest allowed value "
        "here is {closest}. Or widen the band.",
        "{sku} 每件可能仅售 {value}（最小货币单位），低于价格带下限 {floor}；此处最接近的允许值为 {closest}，"
        "也可放宽价格带。",
    ),
    "PROMOTION_NEVER_INSIDE": (
        "{sku} could cost {value} minor units a piece, below the floor {floor} of its band, whatever is written here: "
        "widen the band, or remove the promotion.",
        "{sku} 每件可能仅售 {value}（最小货币单位），低于价格带下限 {floor}，此处填何值均不可行；"
        "请放宽价格带，或删去该促销。",
    ),
    "PROMOTION_ABOVE_CEILING": (
        "{sku} would cost {value} minor units a piece, above the ceiling of its band; the closest allowed value is "
        "{closest}.",
        "{sku} 每件售价 {value}（最小货币单位），高于价格带上限；最接近的允许值为 {closest}。",
    ),
    "PROMOTION_UNPRICED": (
        "{value} has no guide price{hint}, so nothing tells whether the promotion stays inside the policy; add it to "
        "price_policy.products or remove it here.",
        "{value} 没有指导零售价{hint}，无法判断促销是否在价格政策之内；"
        "请在 price_policy.products 中添加，或在此处删去。",
    ),
    "PROMOTION_WITHOUT_PRICE": (
        "{value} is one of the promotion's products and has no price in prices_minor; add one or remove it.",
        "{value} 在该促销的产品之列，但 prices_minor 中没有其价格；请补上或删去。",
    ),
}
"""Sense: what keeps a program from being activated."""

DOUBTS: dict[str, Words] = {
    "PAID_LEVELS_BEYOND_DEPTH": (
        "Commission may reach {paid} levels, the tree has {depth} generations at most; {depth} would do.",
        "佣金可达 {paid} 层，而层级深度最多 {depth} 代；填 {depth} 即可。",
    ),
    "LEVEL_NAMES_BEYOND_DEPTH": (
        "{count} generations are named, the tree has {depth} at most; remove the last names.",
        "命名了 {count} 代，而层级深度最多 {depth} 代；请删去最后的名称。",
    ),
    # tiers and territory
    "TIER_WITHOUT_PROMOTION": (
        "Others of the tiers can be reached by conditions, {tier} only by hand; give it a promotion if that is not "
        "meant.",
        "其他级别可按条件晋升，{tier} 只能人工授予；若非本意，请填写 promotion。",
    ),
    "TIER_WITHOUT_KEEP": (
        "Other tiers have to be kept, {tier} is never lost; give it a condition to keep if that is not meant.",
        "其他级别须达标才能保留，{tier} 永不降级；若非本意，请填写 keep。",
    ),
    "KEEP_WITHOUT_EFFECT": (
        "{tier} is the lowest tier: who misses this falls no further. Remove it, or set tier_rules.revoke_after with "
        "revocation: suspend.",
        "{tier} 是最低级别，未达标也不会再降级。请删去此条件，"
        "或设置 tier_rules.revoke_after 并将 revocation 设为 suspend。",
    ),
    "KEEP_ABOVE_PROMOTION": (
        "Staying takes {value}, more than the {closest} that lead into the tier; {closest} is the closest value that "
        "asks no more.",
        "保级要求 {value} 高于晋级要求 {closest}；不更严格的最接近值为 {closest}。",
    ),
    "PROMOTION_NOT_RISING": (
        "{value} leads into {tier}, no more than into the lower tier {lower} ({before}): nobody would stop there.",
        "晋升 {tier} 的要求 {value} 不高于较低级别 {lower} 的 {before}，无人会停留在较低级别；请核对。",
    ),
    "TIER_RULES_WITHOUT_KEEP": (
        "No tier has a condition to keep, so nobody can miss one; add keep to tiers or remove this.",
        "没有任何级别设有 keep 条件，不会有人未达标；请为级别添加 keep，或删去此设置。",
    ),
    "AGENTS_OF_EXCLUSIVE": (
        "Regions are exclusive, yet {value} distributors may have this one, and that number holds; set 1, or "
        "territory.regions to shared.",
        "区域为独家（exclusive），此处却允许 {value} 个代理，并以此数为准；"
        "请改为 1，或将 territory.regions 设为 shared。",
    ),
    "REGION_UNKNOWN": (
        "{value} begins with no province of GB/T 2260; check the code.",
        "{value} 的前两位不是 GB/T 2260 中的省级代码；请核对。",
    ),
    "LEAD_WITHOUT_EFFECT": (
        "Nothing of a lead goes to the region's distributor; give it a part, or set the lead to null.",
        "跨区线索未给区域代理任何份额；请填写份额，或将其设为 null。",
    ),
    # commission
    "RATES_MAY_EXCEED_WHOLE": (
        "Should {what} exist, its rates add up to {sum} bps, {excess} above the whole, and shares would shrink.",
        "若存在{what}，其比例合计 {sum} 个基点，超过 10000，佣金将按比例缩减；超出 {excess} 个基点。",
    ),
    "FIXED_EXCEEDS_PRICE": (
        "{sum} minor units a piece are promised, only {limit} may be paid out at the lowest allowed price, and shares "
        "would shrink. Lower them to {limit} in all.",
        "每件承诺佣金合计 {sum}（最小货币单位），按最低允许价格最多只能支付 {limit}，"
        "佣金将按比例缩减。请将合计降至 {limit}。",
    ),
    "FIXED_TWICE": (
        "{value} already has a fixed amount in {other}, which comes first and wins; remove one of them.",
        "{value} 已在 {other} 中设定固定金额，以靠前者为准；请删去其一。",
    ),
    "NOBODY_EARNS": (
        "No component pays anybody; add one if that is not meant.",
        "没有任何组成部分支付佣金；若非本意，请添加。",
    ),
    "CAP_PAYS_NOTHING": (
        "A cap of 0 pays nobody for an order; null is without a cap.",
        "上限为 0 时任何订单都不支付佣金；不设上限请填 null。",
    ),
    "BASE_LACKS_PRODUCTS": (
        "{count} priced products have no entry here and so no commission by rate: {names}. Add them if that is not "
        "meant.",
        "有 {count} 个已定价产品在此没有条目，按比例计算的佣金为零：{names}。若非本意，请补上。",
    ),
    "COST_ABOVE_PRICE": (
        "The cost {value} leaves no margin at the lowest allowed price; the closest value that does not exceed it is "
        "{closest}.",
        "成本 {value} 高于最低允许价格，毛利为零；不超过该价格的最接近值为 {closest}。",
    ),
    "VALUE_ABOVE_PRICE": (
        "The value {value} is above the lowest allowed price and counts only up to what was paid; the closest value "
        "that does not exceed it is {closest}.",
        "佣金价值 {value} 高于最低允许价格，只按实付金额计算；不超过该价格的最接近值为 {closest}。",
    ),
    "LIFT_EXCEEDS_PRICE": (
        "The piece that passes {above} pieces brings {sum} minor units at once; at its lowest price {sku} bears only "
        "{limit}, and what is more would be lost. Use MARGINAL, or lower the lift.",
        "越过 {above} 件的那一件将一次带来 {sum}（最小货币单位），而 {sku} 按最低价格只能承担 {limit}，"
        "超出部分将损失。请使用 MARGINAL，或降低加价。",
    ),
    "QUALIFY_WITHOUT_UPLINES": (
        "Only uplines have to qualify, and this table has no upline levels; remove it or add levels.",
        "只有上级需要达标，而此表没有上级层级；请删去该条件或增加层级。",
    ),
    "DIFFERENTIAL_NOT_RISING": (
        "Tier {tier} has {value} bps, no more than {below} of the lower tier {lower}: above that it earns nothing. "
        "Check the two.",
        "级别 {tier} 的比例 {value} 个基点不高于较低级别 {lower} 的 {below}，其上级将得不到级差；请核对。",
    ),
    "REBATE_FALLS": (
        "At {bound} the whole period's rate falls: with {just_below} a distributor gets {before}, with {bound} only "
        "{after}. Use MARGINAL, or a rate of at least {closest} bps.",
        "达到 {bound} 时整个周期的比例下降：销售额 {just_below} 可得 {before}，{bound} 却只得 {after}。"
        "请使用 MARGINAL，或将比例设为不低于 {closest} 个基点。",
    ),
    "BONUS_FALLS": (
        "The higher place or target pays {value}, the lower one {lower}; the closest value that does not fall is "
        "{closest}.",
        "较高的目标或名次为 {value}，低于较低者的 {lower}；不下降的最接近值为 {closest}。",
    ),
    "EVENT_TWICE": (
        "{other} pays for the same event in {channel}, and both would be paid; remove one of them.",
        "{other} 也为渠道 {channel} 的同一事件付款，两者都会支付；请删去其一。",
    ),
    "EVENT_ABOVE_ORDER": (
        "An order of {minimum} is enough for {value}; raise minimum_minor to {closest} if the order shall bear it.",
        "{minimum} 的订单即可获得 {value}；若希望订单足以承担，请将 minimum_minor 提高到 {closest}。",
    ),
    "GROUP_WITHOUT_END": (
        "Everybody above a sale is paid for it as group sales, without end; set hierarchy.depth_limit, or use "
        "own_sales.",
        "每笔销售的所有上级都按团队业绩获得报酬，且没有层数限制；请设置 hierarchy.depth_limit，或改用 own_sales。",
    ),
    # goods that come back
    "RETURN_OUTLASTS_HOLD": (
        "Goods may come back for {value} days, and commission becomes available after {closest}; the closest value "
        "that the hold covers is {closest}.",
        "退货期为 {value} 天，而佣金冻结期仅 {closest} 天；冻结期能覆盖的最接近值为 {closest}。",
    ),
    # exits
    "RETENTION_SHORT": (
        "Personal data would be erased {value} days after an exit, while goods come back for {closest}; the closest "
        "value that waits for them is {closest}.",
        "退出 {value} 天后即删除个人信息，而退货期为 {closest} 天；最接近的合适值为 {closest}。",
    ),
    # prices
    "PURCHASE_PRICE_RISES": (
        "Tier {tier} pays {value}, more than {below} of the lower tier {lower}; check the two.",
        "级别 {tier} 的进货价 {value} 高于较低级别 {lower} 的 {below}；请核对。",
    ),
    "PROMOTION_NO_GAIN": (
        "{value} is no less than the guide price of {sku}, {guide}; lower it or remove it.",
        "{value} 不低于 {sku} 的指导零售价 {guide}；请降低或删去。",
    ),
    "PROMOTION_PRICE_UNUSED": (
        "{value} has a price here and is not one of the promotion's products; add it to them or remove it.",
        "{value} 在此有价格，但不在该促销的产品之列；请加入或删去。",
    ),
    "PROMOTION_NOWHERE": (
        "{value} is not sold in any of the promotion's channels; check the two lists.",
        "{value} 不在该促销的任何渠道销售；请核对两处渠道。",
    ),
    "PROMOTIONS_OVERLAP": (
        "On some days {other} holds for {sku} too; they do not add up: what is cheaper for the customer wins, at equal "
        "price {other}. Part their days if that is not meant.",
        "{other} 在部分日期也适用于 {sku}；促销不叠加，以对顾客更优惠者为准，价格相同时以 {other} 为准。"
        "若非本意，请错开日期。",
    ),
    # compliance
    "PAYOUT_UNKNOWN": (
        "The share paid out on {what} cannot be judged: give it a guide price, or set commission.cap_bps.",
        "无法判断{what}的佣金占比：请为其设置指导零售价，或设置 commission.cap_bps。",
    ),
}
"""Sense: what is worth a look."""

ERRORS: dict[str, Words] = {**TEXT, **STRUCTURE, **SENSE, "COMPLIANCE": ("{text}", "{text}")}
"""What keeps a program from being activated; what a compliance profile says is the profile's own."""
WARNINGS: dict[str, Words] = DOUBTS
