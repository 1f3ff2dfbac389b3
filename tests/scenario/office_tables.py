"""Tables in the styles of statistical offices of many countries, with what they hold.

Regions and numbers are made up. Each table has the people by code, the answers that it needs, and
a part of each question that it must ask without them.
"""

from typing import Any, NamedTuple


class Table(NamedTuple):
    text: str
    people: dict[str, float]
    asks: tuple[str, ...] = ()
    answers: dict[str, Any] = {}  # noqa: RUF012
    encoding: str = "utf-8"
    file: str = "table.csv"
    columns: dict[str, str] = {}  # noqa: RUF012


def rows(*lines: str) -> str:
    return "\n".join(lines) + "\n"


TABLES = {
    "Destatis GENESIS": Table(
        rows(
            "GENESIS-Tabelle: 12411-0015",
            "Bevölkerung: Kreise, Stichtag;;;",
            "Fortschreibung des Bevölkerungsstandes;;;",
            "Bevölkerung (Anzahl);;;",
            ";;31.12.2021;31.12.2022",
            "DG;Deutschland;9000;9300",
            "01001;  Förde, kreisfreie Stadt;1100;1200",
            "01002;  Kiel, kreisfreie Stadt;2100;2200",
            "01051;  Dithmar, Landkreis;3000;3100",
            "01053;  Altkreis (bis 1970);-;-",
            "__________",
            "(C)opyright Statistisches Bundesamt (Destatis), 2023",
            "Stand: 05.10.2023 / 11:22:33",
        ),
        {"01001": 1200, "01002": 2200, "01051": 3100},
        ("--drop-totals", "--missing leave-out"),
        {"drop_totals": True, "missing": "leave-out"}, "cp1252",
    ),
    "INSEE communes": Table(
        rows(
            "REG;Région;DEP;ARR;CAN;CODCOM;COM;PMUN;PCAP;PTOT",
            "84;Auvergne;01;2;08;001;L'Abergement;776;18;794",
            "84;Auvergne;01;1;01;002;Ambléon;248;2;250",
            "84;Auvergne;38;1;01;004;Ambérieu;14035;393;14428",
            "84;Auvergne;38;2;22;005;Sézanne;1689;34;1723",
        ),
        {"01001": 794, "01002": 250, "38004": 14428, "38005": 1723},
        answers={"columns": {"population": "PTOT"}}, encoding="latin-1",
    ),
    "INSEE dossier": Table(
        rows(
            "CODGEO;LIBGEO;P20_POP;P14_POP;SUPERF;P20_MEN",
            "01001;L'Abergement;806;767;15,95;327",
            "01002;Ambléon;262;241;9,15;118",
            "2A004;Ajaccio;71361;68587;82,03;33205",
        ),
        {"01001": 806, "01002": 262, "2A004": 71361},
        columns={"population": "P20_POP", "area_km2": "SUPERF"},
    ),
    "ISTAT long": Table(
        "ITTER107;Territorio;TIPO_DATO15;Tipo di indicatore demografico;SEXISTAT1;Sesso;TIME;"
        "Seleziona periodo;Value;Flag Codes;Flags\n"
        + "".join(
            f"{code};{name};JAN;popolazione al 1º gennaio;{k};{sex};2023;2023;{n};;\n"
            for code, name, whole in (("001001", "Agliè", 2600), ("001002", "Airasca", 3620),
                                      ("001003", "Ala di Stura", 450))
            for k, sex, n in ((1, "maschi", whole // 2 - 5), (2, "femmine", whole - whole // 2 + 5),
                              (9, "totale", whole))
        ),
        {"001001": 2600, "001002": 3620, "001003": 450},
        ('Sesso=totale',), {"rows": "Sesso=totale"},
    ),
    "INE Spain long": Table(
        "Municipios;Sexo;Periodo;Total\n"
        + "".join(
            f"{name};{sex};{year};{n}\n"
            for name, whole in (("44001 Ababuj", 76), ("44002 Abejuela", 51),
                                ("44003 Aguatón", 1117))
            for sex, n in (("Total", whole), ("Hombres", whole - 20), ("Mujeres", 20))
            for year in (2022, 2021)
        ),
        {"44001 Ababuj": 76, "44002 Abejuela": 51, "44003 Aguatón": 1117},
        ("Sexo=Total",), {"rows": "Sexo=Total"}, "iso8859-15",
    ),
    "INE Portugal": Table(
        rows(
            "Quadro extraído em 5 de Maio de 2023;;;",
            "População residente (N.º) por Local de residência; Anual - INE;;",
            "Período de referência;Local de residência (NUTS - 2013);;População residente",
            ";;;N.º",
            "2021;Alto Tejo;1831;12 345",
            ";Évora;0705;53 577",
            ";Óbidos;1012;11 920",
            ";Águeda;0101;46 131",
            "População residente (N.º) por Local de residência - INE, Estimativas",
        ),
        {"1831": 12345, "0705": 53577, "1012": 11920, "0101": 46131}, encoding="cp1252",
    ),
    "CBS StatLine": Table(
        rows(
            '"Regionale kerncijfers Nederland"',
            '"Regio\'s";"Bevolking|Totale bevolking";"Bevolking|Mannen";"Oppervlakte"',
            '"Regio\'s";"aantal";"aantal";"km²"',
            '"Aa en Hunze";"25445";"12800";"278,84"',
            '"Aalsmeer";"31991";"16000";"32,32"',
            '"Súdwest";"90125";"45010";"."',
            '"Bron: CBS"',
        ),
        {"Aa en Hunze": 25445, "Aalsmeer": 31991, "Súdwest": 90125},
    ),
    "CBS typed": Table(
        rows(
            '"ID";"RegioS";"Perioden";"TotaleBevolking_1";"Bevolkingsdichtheid_57"',
            '0;"GM1680  ";"2023JJ00";"   25445";"      92"',
            '1;"GM0358  ";"2023JJ00";"   31991";"    1594"',
            '2;"GM0197  ";"2023JJ00";"   27121";"     281"',
        ),
        {"GM1680": 25445, "GM0358": 31991, "GM0197": 27121},
    ),
    "GUS BDL": Table(
        rows(
            "Kod;Nazwa;ogółem;ogółem;mężczyźni;mężczyźni",
            ";;2021;2022;2021;2022",
            ";;[osoba];[osoba];[osoba];[osoba]",
            "0000000;POLSKA;60000;59000;29000;28500",
            "0201011;Bolesławiec (1);39000;38000;18500;18000",
            "0201022;Żary (2);21000;21000;10500;10500",
        ),
        {"0201011": 38000, "0201022": 21000},
        ("--drop-totals",), {"drop_totals": True}, "cp1250",
    ),
    "PSA Philippines": Table(
        rows(
            '"Table 1. Total Population by Province, City, and Municipality: 2015 and 2020",,',
            ",,",
            '"Region, Province, and City/Municipality",2015,2020',
            ",,",
            'PHILIPPINES,"9,000","10,000"',
            ",,",
            'REGION I - ILOCOS,"5,400","6,000"',
            'ILOCOS NORTE,"3,400","3,500"',
            'ADAMS,900,"1,000"',
            'CITY OF BATAC (Capital),"2,500","2,500"',
            'ILOCOS SUR,"2,000","2,500"',
            'ALILEM*,"1,000","1,300"',
            'PEÑAFLOR,"1,000","1,200"',
            ",,",
            'REGION II,"3,600","4,000"',
            'BATANES,"3,600","4,000"',
            'BASCO,"1,600","1,700"',
            'ITBAYAT,"2,000","2,300"',
            "Note: * newly created,,",
            "Source: Philippine Statistics Authority,,",
        ),
        {"ADAMS": 1000, "CITY OF BATAC (Capital)": 2500, "ALILEM": 1300, "PEÑAFLOR": 1200,
         "BASCO": 1700, "ITBAYAT": 2300},
        ("--drop-totals",), {"drop_totals": True}, "cp1252",
    ),
    "BPS web": Table(
        rows(
            "Kabupaten/Kota,Jumlah Penduduk Menurut Jenis Kelamin (Jiwa),,",
            ",Laki-laki,Perempuan,Jumlah",
            ",2023,2023,2023",
            "Kab. Kulon,50 000,51 000,101 000",
            "Kab. Wetan,70 000,71 500,141 500",
            "Kota Tengah,30 000,29 500,59 500",
            "PROVINSI UJI,150 000,152 000,302 000",
            "Keterangan: hasil proyeksi,,,",
        ),
        {"Kab. Kulon": 101000, "Kab. Wetan": 141500, "Kota Tengah": 59500},
        ("--drop-totals",), {"drop_totals": True},
    ),
    "BPS thousands": Table(
        rows(
            "Provinsi,Jumlah Penduduk Pertengahan Tahun (Ribu Jiwa),,",
            ",2021,2022,2023",
            'ACEH,"5.333,7","5.407,9","5.482,5"',
            'SUMATERA UTARA,"14.936,1","15.115,2","15.386,6"',
            'PAPUA TENGAH,-,-,"1.431,0"',
            'INDONESIA,"20.269,8","20.523,1","22.300,1"',
        ),
        {"ACEH": 5482500, "SUMATERA UTARA": 15386600, "PAPUA TENGAH": 1431000},
        ("--drop-totals",), {"drop_totals": True},
    ),
    "US Census counties": Table(
        "SUMLEV,REGION,DIVISION,STATE,COUNTY,STNAME,CTYNAME,CENSUS2010POP,ESTIMATESBASE2010,"
        "POPESTIMATE2018,POPESTIMATE2019,NPOPCHG_2019,BIRTHS2019,RBIRTH2019\n"
        + rows(
            "040,3,6,01,000,Alabama,Alabama,590,595,600,610,10,8,1.2",
            "050,3,6,01,001,Alabama,Autauga County,190,195,200,205,5,3,1.2",
            "050,3,6,01,003,Alabama,Baldwin County,400,400,400,405,5,5,1.3",
            "040,4,8,35,000,New Mexico,New Mexico,300,300,300,301,1,4,1.1",
            "050,4,8,35,001,New Mexico,Doña Ana County,200,200,200,201,1,2,1.1",
            "050,4,8,35,003,New Mexico,Catron County,100,100,100,100,0,2,1.1",
        ),
        {"01001": 205, "01003": 405, "35001": 201, "35003": 100},
        ("SUMLEV=050",), {"rows": "SUMLEV=050"}, "latin-1",
        columns={"population": "POPESTIMATE2019", "name": "CTYNAME", "tier": "STNAME"},
    ),
    "ONS mid-year": Table(
        rows(
            "MYE2 - Persons,,,,,,",
            "This table contains population estimates for mid-2022,,,,,,",
            ",,,,,,",
            "Code,Name,Geography,All ages,0,1,2",
            'K02000001,UNITED KINGDOM,Country,"11,000",900,910,920',
            'E92000001,ENGLAND,Country,"7,500",600,610,620',
            'E12000001,NORTH EAST,Region,"7,500",600,610,620',
            'E06000047,County Durham,Unitary Authority,"3,000",200,210,220',
            'E06000005,Darlington,Unitary Authority,"2,500",200,200,200',
            'E06000001,Hartlepool,Unitary Authority,"2,000",200,200,200',
            'W92000004,WALES,Country,"3,500",300,300,300',
            'W06000001,Isle of Anglesey,Unitary Authority,"1,500",150,150,150',
            'W06000002,Gwynedd,Unitary Authority,"2,000",150,150,150',
        ),
        {"E06000047": 3000, "E06000005": 2500, "E06000001": 2000, "W06000001": 1500,
         "W06000002": 2000},
        ("--drop-totals",), {"drop_totals": True},
    ),
    "Statistics Canada": Table(
        '"REF_DATE","GEO","DGUID","Gender","Age group","UOM","UOM_ID","SCALAR_FACTOR","SCALAR_ID",'
        '"VECTOR","COORDINATE","VALUE","STATUS","SYMBOL","TERMINATED","DECIMALS"\n'
        + "".join(
            f'"{year}","{geo}","{code}","{sex}","All ages","Persons","249","units","0",'
            f'"v{year}{n}","1.1.{n}","{n * (year - 2020)}","","","","0"\n'
            for year in (2021, 2022)
            for geo, code, whole in (("Canada", "2021A000011124", 3000),
                                     ("Division No. 1, Québec", "2021A00031001", 1000),
                                     ("Division No. 2", "2021A00031002", 2000))
            for sex, n in (("Total - gender", whole), ("Men+", whole // 2), ("Women+", whole // 2))
        ),
        {"2021A00031001": 2000, "2021A00031002": 4000},
        ("Gender=Total - gender", "--drop-totals"),
        {"rows": "Gender=Total - gender", "drop_totals": True},
    ),
    "IBGE SIDRA": Table(
        rows(
            '"Tabela 6579 - População residente estimada"',
            '"Variável - População residente estimada (Pessoas)"',
            '"Cód.";"Município";"Ano"',
            '"";"";"2020";"2021"',
            '"1100015";"Alta Floresta D\'Oeste (RO)";"22728";"22516"',
            '"1100023";"Ariquemes (RO)";"109523";"111148"',
            '"1100031";"Cabixi (RO)";"5188";"5067"',
            '"Fonte: IBGE - Estimativas de População"',
        ),
        {"1100015": 22516, "1100023": 111148, "1100031": 5067},
    ),
    "IBGE estimates": Table(
        rows(
            "ESTIMATIVAS DA POPULAÇÃO RESIDENTE NOS MUNICÍPIOS BRASILEIROS EM 1º DE JULHO,,,,",
            "UF,COD. UF,COD. MUNIC,NOME DO MUNICÍPIO,POPULAÇÃO ESTIMADA",
            "RO,11,00015,Alta Floresta D'Oeste,22.516",
            "RO,11,00205,Porto Velho,548.952 (1)",
            "PA,15,00205,Água Azul,27.615(2)",
            "PA,15,00107,Abaetetuba,160.439",
            "Fonte: IBGE. Diretoria de Pesquisas - DPE,,,,",
            "Notas:,,,,",
            "(1) População judicial do município de Porto Velho-RO: 19.534 habitantes,,,,",
        ),
        {"1100015": 22516, "1100205": 548952, "1500205": 27615, "1500107": 160439},
    ),
    "INEGI": Table(
        rows(
            "ENTIDAD,NOM_ENT,MUN,NOM_MUN,LOC,NOM_LOC,POBTOT,POBFEM,POBMAS,P_0A2",
            "01,Aguascalientes,000,Total de la entidad,0000,Total de la Entidad,1500,760,740,70",
            "01,Aguascalientes,001,Aguascalientes,0000,Total del Municipio,900,460,440,40",
            "01,Aguascalientes,001,Aguascalientes,0001,Aguascalientes,800,410,390,35",
            "01,Aguascalientes,001,Aguascalientes,0094,Granja Adelita,100,50,50,*",
            "01,Aguascalientes,002,Asientos,0000,Total del Municipio,600,300,300,30",
            "01,Aguascalientes,002,Asientos,0001,Asientos,460,240,220,20",
            "01,Aguascalientes,002,Asientos,0015,Amarillas de Esparza,140,60,80,10",
            "02,Baja California,000,Total de la entidad,0000,Total de la Entidad,300,150,150,10",
            "02,Baja California,001,Ensenada,0000,Total del Municipio,300,150,150,10",
            "02,Baja California,001,Ensenada,0001,Ensenada,200,100,100,10",
            "02,Baja California,001,Ensenada,0094,El Sauzal,100,50,50,10",
        ),
        {"010010001": 800, "010010094": 100, "010020001": 460, "010020015": 140,
         "020010001": 200, "020010094": 100},
        ("--drop-totals",), {"drop_totals": True}, columns={"tier": "NOM_ENT"},
    ),
    "Eurostat": Table(
        rows(
            "freq,unit,sex,age,geo\\TIME_PERIOD\t2021 \t2022 \t2023 ",
            "A,NR,T,TOTAL,AT111\t37534 \t37602 b\t37698 ",
            "A,NR,T,TOTAL,AT112\t155000 \t156000 \t158000 p",
            "A,NR,T,TOTAL,AT113\t97000 \t97100 \t97450 ",
            "A,NR,T,TOTAL,AT121\t246000 \t247000 \t: ",
        ),
        {"AT111": 37698, "AT112": 158000, "AT113": 97450},
        ('--column population="2023"',),
        {"missing": "leave-out", "columns": {"population": "2023"}}, file="demo_r_pjanaggr3.tsv",
    ),
    "Census of India": Table(
        '"State Code","District Code","Sub District Code","India/ State/ Union Territory/ '
        'District/ Sub-district","Name","Total/ Rural/ Urban","Number of villages Inhabited",'
        '"Number of households",Population,,,"Area (In sq. km)","Population per sq. km."\n'
        ",,,,,,,,Persons,Males,Females,,\n"
        + "".join(
            f'{state},{district},{sub},{level},{name},{part},12,"{n // 5}","{n}",{n // 2},'
            f"{n - n // 2},10.5,99\n"
            for state, district, sub, level, name, whole in (
                ("00", "000", "00000", "INDIA", "INDIA", 9000),
                ("01", "000", "00000", "STATE", "ALPHA", 9000),
                ("01", "001", "00000", "DISTRICT", "Kupwara", 4000),
                ("01", "001", "00001", "SUB-DISTRICT", "Kupwara", 1500),
                ("01", "001", "00002", "SUB-DISTRICT", "Handwara", 2500),
                ("01", "002", "00000", "DISTRICT", "Badgam", 5000),
                ("01", "002", "00003", "SUB-DISTRICT", "Khag", 2000),
                ("01", "002", "00004", "SUB-DISTRICT", "Beerwah", 3000),
            )
            for part, n in (("Total", whole), ("Rural", whole * 3 // 4), ("Urban", whole // 4))
        ),
        {"01001": 4000, "01002": 5000},
        ("SUB-DISTRICT",),
        {"rows": "India/ State/ Union Territory/ District/ Sub-district=DISTRICT,"
                 "Total/ Rural/ Urban=Total"},
    ),
    "e-Stat Japan": Table(
        rows(
            "令和２年国勢調査,,,,",
            "都道府県,市区町村,市区町村コード,総人口（人）,男",
            "北海道,札幌市,０１１００,１９７３３９５,918000",
            ",函館市,０１２０２,251084,113000",
            "青森県,青森市,０２２０１,２７５，１９２,128000",
            ",弘前市,０２２０２,168466,77000",
        ),
        {"01100": 1973395, "01202": 251084, "02201": 275192, "02202": 168466},
        encoding="cp932",
    ),
}  # fmt: skip

LETTERS = [
    (
        "cp1250 iso8859_2 cp852",
        "Kod\tNazwa\tLudność ogółem\tgęstość\n0201011\tBolesławiec\t38 012\t1609\n",
    ),
    ("cp1250 iso8859_2", "teryt;gmina;razem\n1;Bolesławiec;38\n2;Żary;33\n3;Łódź;33\n"),
    (
        "cp1250 iso8859_2 cp852",
        "kód;název;počet obyvatel\n1;Praha;120\n2;Ústí;20\n3;České Budějovice;9\n",
    ),
    (
        "cp1250 iso8859_2 cp852",
        "név;lakónépesség\nGyőr;120\nPécs;20\nHódmezővásárhely;9\nSzékesfehérvár;8\n",
    ),
    (
        "cp1252 mac_roman cp850 iso8859_15",
        "AGS;Gemeinde;Bevölkerung\n1;Köln;3\n2;Gießen;4\n3;Überlingen;4\n",
    ),
    ("cp1252 mac_roman", "AGS;Gemeinde;Einwohner\n1;Koeln;3\n2;Gießen;4\n3;Ulm;4\n"),
    (
        "cp1252 mac_roman",
        "Commune;Population\nL'Haÿ-les-Roses;3\nŒuilly;4\nSaint-Étienne;5\nBesançon;6\n",
    ),
    ("cp1252 mac_roman cp850", "Municipio;Población\nA Coruña;3\nLeón;4\n"),
    ("cp1252 mac_roman cp850", "Município;População\nSão Paulo;3\nÁgua Fria;5\n"),
    ("cp1252 mac_roman cp850", "nome;pop\nSão Paulo;3\nÁgua Fria;5\nAçu;3\n"),
    ("cp1252 mac_roman cp850", "Comune;Popolazione\nAgliè;3\nForlì;4\nCantù;4\n"),
    ("cp1252 mac_roman", "Kommun;Folkmängd\nMalmö;3\nÅre;4\nGävle;3\n"),
    ("cp1252 mac_roman", "Kommune;Befolkning\nKøbenhavn;3\nÆrø;4\nÅrhus;3\n"),
    ("cp1254 iso8859_9", "İl;İlçe;Nüfus\nİzmir;Çeşme;3\nMuğla;Bodrum;5\nDiyarbakır;Bağlar;7\n"),
    ("cp1257", "Savivaldybė;Gyventojų skaičius\nŠiauliai;3\nPanevėžys;5\n"),
    ("cp1251 koi8_r cp866 iso8859_5", "Код;Название;Население\n1;Москва;3\n2;Тверь;4\n"),
    ("cp1251", "Код;Назва;Кількість\n1;Київ;3\n2;Львів;4\n"),
    ("cp1253 iso8859_7", "Κωδικός;Δήμος;Πληθυσμός\n1;Αθήνα;3\n2;Πάτρα;4\n"),
    (
        "cp932 euc_jp",
        "都道府県,市区町村,総人口（人）,男\n北海道,札幌市,1973395,918000\n青森県,青森市,275192,1\n",
    ),
    ("cp932 euc_jp", "code,name,pop\n1,さいたま市,1973395\n2,青森市,275192\n"),
    ("gb18030", "代码,名称,人口\n1,北京市,1973395\n2,上海市,275192\n3,广州市,3333\n"),
    (
        "gb18030",
        "code,name,pop\n1,北京市,1973395\n2,上海市,275192\n3,广州市,3333\n4,呼和浩特市,333\n",
    ),
    ("big5", "代碼,名稱,人口數\n1,臺北市,1973395\n2,高雄市,275192\n3,新竹縣,3333\n"),
    ("big5", "code,name,pop\n1,臺北市,1973395\n2,高雄市,275192\n3,新竹縣,3333\n"),
    ("cp949", "행정구역,인구수\n서울특별시,1973395\n부산광역시,275192\n"),
    ("cp949", "code,name,pop\n1,서울특별시,1973395\n2,부산광역시,275192\n"),
    ("cp1255", "שם;אוכלוסייה\nחיפה;3\nירושלים;4\n"),
    ("cp1256", "الاسم;السكان\nالقاهرة;3\nالجيزة;4\n"),
    ("cp874", "ชื่อ,ประชากร\nเชียงใหม่,3\nภูเก็ต,4\n"),
    ("cp1252", "code;name;pop\n1;North – South;4\n2;St. John’s;4\n"),
    ("cp1252", "code;name;pop\n1;North;4\xa0000\n2;East;5\xa0000\n"),
    ("cp1252", "code;name;pop;lat\n1;North;4000;7°48'\n2;East;5;7°45'\n"),
    ("cp1252 mac_roman", "Name;Population\nPeñaranda;3\nParañaque;4\n"),
    ("cp1252 mac_roman", "NAME;POP\nPEÑARANDA;3\nPARAÑAQUE;4\nDASMARIÑAS;5\n"),
]
"""Encodings, and a text that must be recognised in each of them."""
