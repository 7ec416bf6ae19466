"""What are the invented people called, in Chinese characters and in Latin letters?

A surname and one or two given characters, each drawn by weight from a short public list; any likeness is chance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc

from datasets_synthetic.columns import Column, Flags, Ints, choose, joined, pick

# Most frequent surnames first; the weight of the n-th falls as 1 / (n + 4).
_SURNAMES = """王 Wang 李 Li 张 Zhang 刘 Liu 陈 Chen 杨 Yang 赵 Zhao 黄 Huang 周 Zhou 吴 Wu 徐 Xu 孙 Sun 胡 Hu 朱 Zhu
高 Gao 林 Lin 何 He 郭 Guo 马 Ma 罗 Luo 梁 Liang 宋 Song 郑 Zheng 谢 Xie 韩 Han 唐 Tang 冯 Feng 于 Yu
董 Dong 萧 Xiao 程 Cheng 曹 Cao 袁 Yuan 邓 Deng 许 Xu 傅 Fu 沈 Shen 曾 Zeng 彭 Peng 吕 Lü 苏 Su 卢 Lu
蒋 Jiang 蔡 Cai 贾 Jia 丁 Ding 魏 Wei 薛 Xue 叶 Ye 阎 Yan 欧阳 Ouyang 司马 Sima 上官 Shangguan 诸葛 Zhuge"""
_MEN = """伟 wei 强 qiang 军 jun 勇 yong 磊 lei 涛 tao 超 chao 明 ming 刚 gang 平 ping 辉 hui 鹏 peng 杰 jie 建 jian 国 guo
志 zhi 文 wen 斌 bin 波 bo 浩 hao 宇 yu 博 bo 天 tian 俊 jun 海 hai 峰 feng 龙 long 德 de 福 fu 昌 chang"""
_WOMEN = """芳 fang 娜 na 敏 min 静 jing 丽 li 艳 yan 娟 juan 霞 xia 秀 xiu 英 ying 玉 yu 兰 lan 梅 mei 红 hong 桂 gui
雪 xue 婷 ting 慧 hui 莉 li 洁 jie 燕 yan 颖 ying 琳 lin 欣 xin 怡 yi 佳 jia 淑 shu 珍 zhen 凤 feng 云 yun"""


def _pairs(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    words = text.split()
    return tuple(words[::2]), tuple(words[1::2])


# Names that only strangers in the notes bear: rarer surnames, and given names of other generations.
_RARE_SURNAMES = """姜 Jiang 范 Fan 方 Fang 石 Shi 姚 Yao 谭 Tan 廖 Liao 邹 Zou 熊 Xiong 金 Jin 陆 Lu 郝 Hao 孔 Kong 白 Bai
崔 Cui 康 Kang 毛 Mao 邱 Qiu 秦 Qin 江 Jiang 史 Shi 顾 Gu 侯 Hou 邵 Shao 孟 Meng 龙 Long 万 Wan 段 Duan
钱 Qian 汤 Tang 尹 Yin 易 Yi 常 Chang 武 Wu 乔 Qiao 贺 He 赖 Lai 龚 Gong 文 Wen 庞 Pang 樊 Fan 兰 Lan
殷 Yin 施 Shi 陶 Tao 翟 Zhai 安 An"""
_RARE_GIVEN = """子 zi 梓 zi 轩 xuan 晨 chen 雨 yu 若 ruo 诗 shi 涵 han 奕 yi 翔 xiang 凯 kai 坤 kun 冬 dong 春 chun
秋 qiu 生 sheng 根 gen 宝 bao 树 shu 林 lin 喜 xi 庆 qing 元 yuan 仁 ren 义 yi 礼 li 信 xin 忠 zhong
良 liang 才 cai 发 fa 财 cai 荣 rong 贵 gui 彩 cai 香 xiang 巧 qiao 银 yin 凤 feng 莲 lian 菊 ju 翠 cui
月 yue 素 su 琴 qin 萍 ping 蓉 rong 薇 wei 倩 qian 娇 jiao"""


SURNAMES, SURNAMES_LATIN = _pairs(f"{_SURNAMES} {_RARE_SURNAMES}")
_MEN_ZH, _MEN_LATIN = _pairs(_MEN)
_WOMEN_ZH, _WOMEN_LATIN = _pairs(_WOMEN)
_RARE_ZH, _RARE_LATIN = _pairs(_RARE_GIVEN)
COMMON = len(_pairs(_SURNAMES)[0])
"""How many of SURNAMES the people bear; the rest are strangers'."""
# The empty word is the missing second character.
GIVEN = (*_MEN_ZH, *_WOMEN_ZH, "", *_RARE_ZH)
GIVEN_LATIN = (*_MEN_LATIN, *_WOMEN_LATIN, "", *_RARE_LATIN)
NONE = len(_MEN_ZH) + len(_WOMEN_ZH)
TWO_CHARACTERS = 0.7


@dataclass(frozen=True)
class Names:
    surname: Ints
    first: Ints
    second: Ints

    def zh(self) -> Column:
        return joined(pick(SURNAMES, self.surname), pick(GIVEN, self.first), pick(GIVEN, self.second))

    def latin(self) -> Column:
        given = pc.utf8_capitalize(joined(pick(GIVEN_LATIN, self.first), pick(GIVEN_LATIN, self.second)))
        return joined(pick(SURNAMES_LATIN, self.surname), " ", given)

    def of(self, rows: Ints) -> Names:
        return Names(self.surname[rows], self.first[rows], self.second[rows])


def draw(rng: np.random.Generator, male: Flags) -> Names:
    rows, men = len(male), len(_MEN_ZH)
    surname = choose(rng, 1 / (np.arange(COMMON) + 4.0), rows)

    def given() -> Ints:
        return np.where(male, rng.integers(0, men, rows), men + rng.integers(0, len(_WOMEN_ZH), rows))

    first, second = given(), given()
    return Names(surname, first, np.where(rng.random(rows) < TWO_CHARACTERS, second, NONE))


def strangers(rng: np.random.Generator, rows: int) -> Names:
    """Doctors, kin and neighbours: any surname and any given name of the lists, rare ones as often as common ones."""
    surname = rng.integers(0, len(SURNAMES), rows)

    def given() -> Ints:
        drawn = rng.integers(0, len(GIVEN) - 1, rows)
        return drawn + (drawn >= NONE)

    first, second = given(), given()
    return Names(surname, first, np.where(rng.random(rows) < TWO_CHARACTERS, second, NONE))
